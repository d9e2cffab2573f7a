# media/finish (target): every file that a row stands for is here, so far as the source has it; uploads come here from now on.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY
. "$scripts/media/shared.sh"

present() {
  if ! has_media; then result keys 0 files 0 missing 0; return; fi
  if_unfinished=tell_no_sidekiq
  open_source
  check_source
  [[ -f $mark_file ]] || die "the bulk copy to have been made" "no mark of it in $mark_file" "this step comes after media/copy: run \`pulumi up\` again"
  local now
  now="$(source_clock)"
  [[ -s $shifted_file ]] || put_file "$shifted_file" 0600 root:root <<<"$now"
  local before=$changed
  worker_settings media-finish "$mark_file"
  follow_unit media-finish 14400 -- /usr/bin/python3 "$scripts/media/worker.py" finish "$state/media-finish.json"
  [[ -s $run/media-finish.result ]] || die "the last pass over the media to end with a result" "none" "run \`pulumi up\` again"
  changed=$before
  grep -q '"files": 0' "$run/media-finish.result" || changed=yes
  result_json media "$(cat "$run/media-finish.result")"
  # Uploads that were under way at the shift may still end on the source, until its app is stopped.
  grep -qs 'every file is here' "$fallback" || start_worker media-late late "$shifted_file"
}

# On the way back the files that were uploaded here go to the source, at once and then as they come.
absent() {
  has_media && [[ -f $shifted_file ]] || return 0
  open_source
  drop_worker media-late
  drop_file "$state/media-finish.json"
  open_fallback
  push_back
  start_worker media-back back "$shifted_file"
}

open_fallback() {
  [[ -d $(dirname "$fallback") ]] || return 0
  put_file "$fallback" 0644 root:root <"$scripts/web/media-source.conf"
  # Also after a run that was cut off before nginx had read it.
  if systemctl is-active --quiet nginx; then systemctl reload nginx; fi
}
