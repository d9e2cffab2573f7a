# storage/verify (app): every file that a row stands for is in the bucket, with its size; and the bytes of all, or of a stated sample.
# What can be mended from the disk is, and looked at again. Then old links lead to the media host for good, and nothing follows the disk.
# shellcheck shell=bash
# Extra settings: SAMPLE
. "$scripts/storage/shared.sh"
. "$scripts/storage/follower.sh"
. "$scripts/storage/old-links.sh"
. "$scripts/lib/web.sh"

present() {
  need_tools
  uses_bucket || die "the app to use the bucket $BUCKET" "S3_ENABLED is not true in $(env_path)" "this step comes after storage/switch: run \`pulumi up\` again"
  write_store
  local before=$changed
  follow_unit storage-verify "${VERIFY_DEADLINE:-604800}" -- /usr/bin/python3 -B "$scripts/storage/verify.py" "$store_json" "$run/storage-verify.result"
  changed=$before
  [[ -s $run/storage-verify.result ]] || die "the verification to end with a result" "none" "run \`pulumi up\` again"
  grep -q '"missing": 0, "wrong": 0,' "$run/storage-verify.result" ||
    die "every file that a row stands for to be in the bucket" "$(cat "$run/storage-verify.result")" "see what became of the files that it names; nothing is removed from the disk before they are accounted for"
  is_known verified || changed=yes
  stop_follower
  if [[ -f $links ]]; then
    write_links 301
    # Until it is known to be verified, a run may have been cut off before nginx had read them.
    if [[ $file_changed == yes ]] || ! is_known verified; then load_nginx true; fi
  fi
  (mark_known verified <"$run/storage-verify.result")
  result_json verified "$(cat "$run/storage-verify.result")"
}

absent() {
  drop_unit storage-verify
  # On the server that copied: what the app writes to the disk again is followed again.
  if is_known mark && has_disk; then write_store; start_follower; fi
  if [[ -f $links ]] && uses_bucket; then
    write_links 302
    if [[ $file_changed == yes ]] || is_known verified; then load_nginx true; fi
  fi
  drop_file "$known/verified" "$run/storage-verify.result"
}
