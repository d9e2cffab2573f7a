# shellcheck shell=bash
# Where the lab keeps what it makes; sourced by the scripts here, and mirrored by paths.ts.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/trunkline"
# shellcheck disable=SC2034 # used by those who source this
images="$cache/images" labs="$cache/labs" tools="$cache/tools"

say() { printf 'prepare: %s\n' "$*" >&2; }
fail() { printf 'prepare: %s\n' "$*" >&2; exit 1; }

# with_lock NAME CMD…: runs CMD while no other run of anyone holds NAME.
with_lock() {
  local lock="$cache/$1.lock"
  shift
  mkdir -p "$cache"
  (
    flock --nonblock 9 || { say "another run is making the same thing; waiting for it (lock $lock)"; flock 9; }
    "$@" 9>&- # nothing that it leaves behind may keep the lock
  ) 9>"$lock"
}
