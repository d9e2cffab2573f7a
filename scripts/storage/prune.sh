# storage/prune (app): what other servers have sent long ago is dropped before it is copied, where the admin asks for it. Pictures come
# back when somebody looks at them; preview cards only after two weeks, when their link is posted again.
# shellcheck shell=bash
# Extra settings: PRUNE_DAYS PRUNE_CARD_DAYS (0: nothing)
. "$scripts/storage/shared.sh"

present() {
  prune media "$PRUNE_DAYS" media remove "--days=$PRUNE_DAYS"
  prune cards "$PRUNE_CARD_DAYS" preview_cards remove "--days=$PRUNE_CARD_DAYS"
}

# What was dropped is fetched again when it is wanted; there is nothing to bring back.
absent() { drop_unit storage-prune-media; drop_unit storage-prune-cards; drop_file "$known/pruned-media" "$known/pruned-cards"; }

# prune WHAT DAYS TOOTCTL-ARG…: once, as a unit; its last line says how much.
prune() {
  local what=$1 days=$2 words
  shift 2
  [[ ${days:-0} != 0 ]] || return 0
  if ! is_known "pruned-$what" && ! uses_bucket; then
    mapfile -t words < <(tootctl_words "$@")
    # shellcheck disable=SC2016 # its own arguments, not ours
    follow_unit "storage-prune-$what" 604800 -- /bin/bash -c 'cd "$1" && out=$2 && shift 2 && "$@" >"$out" 2>&1' _ "${COMPOSE_DIR:-/}" "$run/prune-$what.log" "${words[@]}"
    tr '\r' '\n' <"$run/prune-$what.log" | sed '/^[[:space:]]*$/d' | tail -n 1 | mark_known "pruned-$what"
    rm -f "$run/prune-$what.log"
  fi
  if is_known "pruned-$what"; then result "$what" "$(cat "$known/pruned-$what")"; fi
}
