#!/usr/bin/env bash
# attach.sh [HOST [CMD…]]: enters a host of a running lab (without HOST: the lab's own side, with its bridges).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/lab/paths.sh"

# The first process in the lab's namespaces: the child of the unshare that enter.sh, the folder's owner, started.
shopt -s nullglob
first="" folder=""
for folder in "$labs"/*; do
  space="$(pgrep -P "$(basename "${folder%-*}")" -x unshare || true)"
  [[ -n "$space" ]] && first="$(pgrep -P "$space")" && break
done
[[ -n "$first" ]] || fail "no lab is running; npm run rehearse -- --keep leaves one up"

inside=(nsenter -t "$first" --mount --net --pid)
host="${1:-}"
if [[ -z "$host" ]]; then exec "${inside[@]}" bash; fi
shift
(($#)) || set -- bash -l
pid="$(cat "$folder"/lab-*/hosts/"$host"/pid 2>/dev/null)" || fail "the lab has no host '$host'; it has: $(cd "$folder" && echo lab-*/hosts/* | xargs -n1 basename | xargs)"
exec "${inside[@]}" nsenter -t "$pid" -m -u -i -n -p -C "$@"
