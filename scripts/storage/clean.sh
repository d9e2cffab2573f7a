# storage/clean (app): the disk copy goes, where the admin said so. Each file goes only while the bucket has it with its size.
# shellcheck shell=bash
# Extra settings: KEEP_LOCAL
. "$scripts/storage/shared.sh"

present() {
  need_tools
  if [[ $KEEP_LOCAL != no ]]; then log "storage/clean: the disk copy is kept (mediaKeepLocal)"; result removed 0; return; fi
  has_disk || { result removed 0; return; }
  uses_bucket || die "the app to use the bucket" "S3_ENABLED is not true in $(env_path)" "this step comes after storage/switch: run \`pulumi up\` again"
  grep -qs '"missing": 0, "wrong": 0,' "$known/verified" ||
    die "every file to be accounted for" "no clean verification in $known" "run \`pulumi up\` with mediaPhase settle first"
  [[ $(unit_state trunkline-storage-follow.service) != running ]] ||
    die "nothing to follow the disk any more" "trunkline-storage-follow.service runs" "run \`pulumi up\` with mediaPhase settle first"
  local before=$changed
  follow_unit storage-clean 604800 -- /usr/bin/python3 -B "$scripts/storage/clean.py" "$store_json" "$run/storage-clean.result"
  changed=$before
  grep -q '"removed": 0,' "$run/storage-clean.result" || changed=yes
  is_known cleaned || mark_known cleaned </dev/null
  result_json disk "$(cat "$run/storage-clean.result")"
}

# There is no way back from here but the bucket's own files: storage/switch brings them.
absent() { drop_unit storage-clean; drop_file "$known/cleaned" "$run/storage-clean.result"; }
