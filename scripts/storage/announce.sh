# storage/announce (app): browsers learn of the media host before it is used. They keep a page's rules for up to a week (a service
# worker does), and would refuse pictures from a host that those do not name. Mastodon 4.4 has EXTRA_MEDIA_HOSTS for that.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/storage/rolling.sh"
. "$scripts/storage/envfile.sh"

lead=$((7 * 86400))

present() {
  need_tools
  if dpkg --compare-versions "${MASTODON_VERSION%%[-+]*}" lt 4.4; then
    log "storage/announce: Mastodon $MASTODON_VERSION has no EXTRA_MEDIA_HOSTS; browsers learn of the media host at the switch"
    result announced false
    return
  fi
  recover_web
  # What the file says the web process may not say yet, where a run was cut off between the two.
  if ! announces || is_known announcing; then
    mark_known announcing </dev/null
    announces || printf 'EXTRA_MEDIA_HOSTS=%s\n' "$(with_host)" | write_env_changes
    roll_web route all
    date +%s | mark_known announced
    drop_file "$known/announcing"
  elif ! is_known announced; then
    # The admin had named it before; since when, nobody knows.
    date +%s | mark_known announced
  fi
  result announced true since "$(stamp "$(cat "$known/announced")")" safeFrom "$(stamp $(($(cat "$known/announced") + lead)))"
}

absent() {
  recover_web
  if { is_known announced || is_known announcing; } && announces; then
    local rest
    rest="$(without_host)"
    if [[ -n $rest ]]; then echo "EXTRA_MEDIA_HOSTS=$rest"; else echo EXTRA_MEDIA_HOSTS; fi | write_env_changes
    roll_web route all
  fi
  drop_file "$known/announced" "$known/announcing"
}

stamp() { date -u -d "@$1" +%FT%TZ; }

hosts() { app_env EXTRA_MEDIA_HOSTS | sed 's|[, ]\+|\n|g' | grep -v '^$' || true; }
announces() { hosts | grep -qxF "https://$MEDIA_HOST"; }
with_host() { { hosts; echo "https://$MEDIA_HOST"; } | paste -sd,; }
without_host() { { hosts | grep -vxF "https://$MEDIA_HOST" || true; } | paste -sd,; }
