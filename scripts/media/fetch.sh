# media/fetch (source): on the way back, the files that were uploaded to the target come home before nginx turns back.
# media/fetchlast does the same after that, for those of the last moments. Names of media are never used twice, so what
# is here already is right.
# shellcheck shell=bash
# Extra settings: SHARE_PASSWORD

away=$state/media.away # since the shift, new files are on the target

present() {
  [[ -f $away ]] || put_file "$away" 0600 root:root < <(date -u +%FT%TZ)
}

absent() {
  [[ -f $away ]] || return 0
  wait_until 120 "the target's media to be readable through the tunnel (127.0.0.1:$PORT_BACK_SHARE)" reachable
  put_file "$etc/share.password" 0600 root:root <<<"$SHARE_PASSWORD"
  # As a unit, since it may take long; a lost connection finds it again.
  # shellcheck disable=SC2016 # its own arguments, not ours
  follow_unit media-fetch 86400 -- bash -c 'set -o pipefail
    rsync -a --numeric-ids --ignore-existing --partial --info=progress2 --no-inc-recursive --timeout=300 \
      --password-file="$1" "$2" "$3" | stdbuf -oL tr "\r" "\n" >"$4"' _ \
    "$etc/share.password" "rsync://trunkline@127.0.0.1:$PORT_BACK_SHARE/media/" "$MEDIA_DIR/" "$run/media-fetch.progress"
  drop_file "$etc/share.password"
  came_home
}

# The first pass is not the last one.
came_home() { :; }

reachable() {
  RSYNC_PASSWORD="$SHARE_PASSWORD" rsync --contimeout=5 --timeout=20 "rsync://trunkline@127.0.0.1:$PORT_BACK_SHARE/media/" >/dev/null
}
