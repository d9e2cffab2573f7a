#!/usr/bin/env bash
# enter.sh CMD…: runs CMD in namespaces of its own (mounts, network, processes), which end with it, however it ends.
# Removes what dead labs left before, and what this one left afterwards.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/lab/paths.sh"
(($#)) || fail "usage: enter.sh CMD…"
((EUID == 0)) || fail "the lab makes network namespaces and boots systemd hosts: run it as root (sudo), on Debian or Ubuntu"

started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; } # so that a reused process id is told apart
owner="$$-$(started $$)"

remove() { # OWNER: its scratch folder and control groups
  local group
  [[ -d "$labs/$1" ]] && rm -rf --one-file-system "${labs:?}/$1"
  for group in /sys/fs/cgroup{,/unified,/systemd}/trunkline/"$1"; do
    [[ -d "$group" ]] && find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
  done
  return 0
}

sweep() { # what those left who are dead
  local name
  for name in $(cd / && find "$labs" /sys/fs/cgroup{,/unified,/systemd}/trunkline -mindepth 1 -maxdepth 1 \
    -name '*-*' -printf '%f\n' 2>/dev/null | sort -u); do
    [[ "$(started "${name%-*}")" == "${name#*-}" ]] || remove "$name"
  done
}

sweep
mkdir -p "$labs" /run/systemd
export TRUNKLINE_LAB="$owner"
exec 3<&0
setpriv --pdeathsig KILL -- unshare --mount --net --pid --fork --kill-child --mount-proc -- \
  "$here/lab/first.sh" "$@" &
space=$!
# A signal asks CMD to end; if it does not, everything in there is ended.
# shellcheck disable=SC2317
stop() {
  local first
  first="$(pgrep -P "$space" || true)"
  [[ -n "$first" ]] && kill -TERM "$first" 2>/dev/null
  (for _ in {1..100}; do kill -0 "$space" 2>/dev/null || exit 0; sleep 0.1; done; kill -KILL "$space") &
}
trap stop TERM INT HUP
while status=0; wait "$space" || status=$?; kill -0 "$space" 2>/dev/null; do :; done
remove "$owner"
exit "$status"
