# media/follow (target): a unit that brings over what changed since the bulk copy, until the shift.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY
. "$scripts/media/shared.sh"

present() {
  if ! has_media; then result files 0; return; fi
  open_source
  check_source
  # Back from the shift: the last files that were uploaded here go to the source before anything comes from it.
  if [[ -f $shifted_file ]]; then
    push_back
    drop_worker media-back
    drop_file "$shifted_file"
  fi
  [[ -f $mark_file ]] || die "the bulk copy to have been made" "no mark of it in $mark_file" "this step comes after media/copy: run \`pulumi up\` again"
  [[ $(unit_state trunkline-media-follow.service) == running ]] || rm -f "$run/media.step"
  start_worker media-follow follow "$mark_file"
  wait_until 600 "a first pass over the changed rows" in_step
  result files "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["files"])' "$run/media.step")"
}

absent() { drop_worker media-follow; }

in_step() { [[ -s $run/media.step ]] || { tail -n 1 "$run/media-follow.progress" 2>/dev/null; return 1; }; }
