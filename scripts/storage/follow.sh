# storage/follow (app): what is written, deleted or made private on the disk is so in the bucket within a second; until storage/verify
# has accounted for all.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/storage/follower.sh"

present() {
  need_tools
  # Media that are in the bucket for good have nothing to follow.
  if ! has_disk || { uses_bucket && is_known verified; }; then result stored 0; return; fi
  uses_bucket || is_known copied || die "the bulk copy to have been made" "no trace of it in $known" "this step comes after storage/copy: run \`pulumi up\` again"
  uses_bucket && ! is_known mark && { result stored 0; return; }
  write_store
  start_follower
  flush_follower "${FLUSH_SECONDS:-3600}"
  result_json follower "$(cat "$run/storage.step")"
}

absent() { stop_follower; }
