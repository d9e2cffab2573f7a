# media/copy (target): all media in bulk, while the source serves. The time at which it began is the mark from which rows tell the rest.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY RATE_MIB
. "$scripts/media/shared.sh"

present() {
  if ! has_media; then result files 0; return; fi
  if [[ -f $shifted_file ]]; then
    log "uploads come to this host already: nothing is copied over it"
    result files 0
    return
  fi
  open_source
  check_source
  check_space
  settings_for media-copy SOURCE_ADDRESS MEDIA_DIR RATE_MIB APP_UID APP_GID
  local before=$changed
  follow_unit media-copy 604800 -- /bin/bash "$scripts/media/bulk.sh"
  local files=0 bytes=0
  if [[ -f $run/media-copy.result ]]; then read -r files bytes <"$run/media-copy.result"; fi
  changed=$before
  ((files == 0)) || changed=yes
  result files "$files" bytes "$bytes"
}

# The copies go only while the source's own files are the ones that count.
absent() {
  [[ ! -f $shifted_file ]] || die "no uploads on this host that the source lacks" "media were shifted here" "go back through media/finish first"
  local units
  mapfile -t units < <(unit_names "$WEB_UNITS")
  ! any_active "${units[@]}" || die "the app not to run on the target" "it runs" "go back further first"
  drop_unit media-copy
  if [[ -f $state/made-media ]]; then
    rm -rf --one-file-system "$MEDIA_DIR"
    drop_file "$state/made-media"
  fi
  drop_file "$mark_file" "$mark_file.new" "$run/media-copy.result"
}

check_space() {
  local free
  [[ -d $MEDIA_DIR ]] || touch "$state/made-media"
  install -d -o "$APP_UID" -g "$APP_GID" "$MEDIA_DIR"
  free="$(df --output=avail -B1M "$MEDIA_DIR" | tail -n 1)"
  ((free > 512)) || die "space for media in $MEDIA_DIR" "$free MiB free" "give the target a larger disk"
}
