# storage/copy (app): all media to the bucket in bulk, while the instance serves. The follower watches from before it begins.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/storage/follower.sh"

present() {
  need_tools
  if uses_bucket || ! has_disk; then
    log "storage/copy: media are in the bucket already, nothing is copied over them"
    result files 0
    return
  fi
  write_store
  start_follower
  # What changes behind the copy is the follower's: it has to watch before the copy looks.
  wait_until 3600 "the follower to watch the media folder" follower_watches
  local before=$changed files=0
  if ! is_known copied; then
    follow_unit storage-copy "${COPY_DEADLINE:-2592000}" -- /usr/bin/python3 -B "$scripts/storage/bulk.py" "$store_json"
    [[ -s $run/storage-copy.result ]] || die "the bulk copy to end with a result" "none" "run \`pulumi up\` again"
    mark_known copied <"$run/storage-copy.result"
    before=yes
  fi
  changed=$before
  result_json media "$(cat "$known/copied")"
}

# The bucket keeps what it has: a migration back deletes no copy of anything.
absent() {
  ! uses_bucket || die "the app not to use the bucket" "S3_ENABLED=true in $(env_path)" "go back through storage/switch first"
  drop_unit storage-copy
  stop_follower
  drop_file "$known/copied" "$known/mark" "$known/caught" "$known/swept" "$run/storage-copy.result"
  # With its mark the media folder goes back to what it was.
  if [[ -n ${MEDIA_DIR:-} ]] && rmdir -- "$MEDIA_DIR/.trunkline" 2>/dev/null; then changed=yes; fi
}
