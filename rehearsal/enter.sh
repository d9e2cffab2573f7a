#!/usr/bin/env bash
# enter.sh CMD…: runs CMD in namespaces of its own (mounts, network, processes), which end with it, however it ends.
# Removes what dead labs left before, and what this one left afterwards.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/lab/paths.sh"
(($#)) || fail "usage: enter.sh CMD…"
((EUID == 0)) || fail "the lab makes network namespaces and boots systemd hosts: run it as root (sudo), on Debian or Ubuntu"

remove() { # OWNER: its scratch folder and control groups
  local group try
  for group in /sys/fs/cgroup{,/unified,/systemd}/trunkline/"$1"; do
    for try in {1..50}; do # a group can be removed once the kernel has buried its processes
      [[ -d "$group" ]] || break
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
    [[ ! -d "$group" ]] || say "the control group $group still has processes in it after ${try} tries; left for the next run"
  done
  rm -rf --one-file-system "${labs:?}/$1"
}

# A lab holds the lock in its folder for as long as any part of it lives.
sweep() {
  local name
  while read -r name; do
    if [[ ! -e "$labs/$name/lock" ]] || flock --nonblock "$labs/$name/lock" true; then remove "$name"; fi
  done < <(find "$labs" /sys/fs/cgroup{,/unified,/systemd}/trunkline -mindepth 1 -maxdepth 1 -type d -name '*-*' \
    -printf '%f\n' 2>/dev/null | sort -u)
}

mkdir -p "$labs" /run/systemd
exec 9>"$cache/labs.lock"
flock 9
sweep
TRUNKLINE_LAB="$$-$(date +%s%N)"
export TRUNKLINE_LAB
mkdir -m 0700 "$labs/$TRUNKLINE_LAB"
exec 8>"$labs/$TRUNKLINE_LAB/lock"
flock 8
exec 9>&-

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
while status=0; wait "$space" 2>/dev/null || status=$?; kill -0 "$space" 2>/dev/null; do :; done
remove "$TRUNKLINE_LAB"
exit "$status"
