# gate/storage (app): is everything in the bucket that is on the disk, and have browsers known the media host for long enough?
# shellcheck shell=bash
# Extra settings: LEAD_DAYS
. "$scripts/gate/lib.sh"
. "$scripts/storage/shared.sh"

main() {
  if ! uses_bucket && has_disk; then
    is_known copied || refuse "the bulk copy to be through" "it is not" "run \`pulumi up\` with mediaPhase replicate"
    [[ $(unit_state trunkline-storage-follow.service) == running ]] ||
      refuse "the follower to run" "trunkline-storage-follow.service is $(unit_state trunkline-storage-follow.service)" "look at its journal, then run \`pulumi up\` again"
    check_lead
  fi
  verdict
}

check_lead() {
  local days=${LEAD_DAYS:-0} since now
  ((days > 0)) && dpkg --compare-versions "${MASTODON_VERSION%%[-+]*}" ge 4.4 || return 0
  now="$(date +%s)"
  since="$(cat "$known/announced" 2>/dev/null || echo "$now")"
  ((now - since >= days * 86400)) ||
    refuse "browsers to have known $MEDIA_HOST for $days days (mediaLeadDays)" "it was announced $(((now - since) / 3600)) hours ago" \
      "wait until $(date -u -d "@$((since + days * 86400))" +%FT%TZ), or set mediaLeadDays to 0: some people will then see no pictures until their browser has read the page anew"
}
