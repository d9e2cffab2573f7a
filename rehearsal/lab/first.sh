#!/usr/bin/env bash
# first.sh CMD…: the first process of a lab's namespaces; enter.sh starts it, with CMD's standard input as 3.
# It reaps what is orphaned and passes signals on to CMD.
set -euo pipefail

# Hidden, so that the hosts' machinery talks neither to the machine's systemd nor to that of another lab.
resolv="$(readlink -m /etc/resolv.conf)"
mount -t tmpfs -o mode=755 tmpfs /run/systemd
[[ -e "$resolv" ]] || install -D /dev/null "$resolv"

ip link set lo up

"$@" <&3 3<&- &
trap 'kill -TERM $! 2>/dev/null' TERM INT
while status=0; wait $! || status=$?; kill -0 $! 2>/dev/null; do :; done
exit "$status"
