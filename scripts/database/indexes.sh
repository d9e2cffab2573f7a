#!/usr/bin/env bash
# indexes.sh PORT DATABASE PROGRESS: checks every index of indexes.sql, two at a time; names the broken ones and fails.
set -euo pipefail
export port=$1 database=$2
progress=$3
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

query() { setpriv --reuid=postgres --regid=postgres --init-groups -- psql -XAtq -v ON_ERROR_STOP=1 -F ' ' -p "$port" -d "$database" "$@"; }

# Their limit of time is for people, and what is said here is read by the lines below.
export PGOPTIONS='-c lc_messages=C -c statement_timeout=0'
# check_index OID NAME. On a standby replay may cancel a long look: that says nothing about the index.
check_index() {
  local said
  for _ in 1 2 3 4 5; do
    said="$(query -c "SELECT bt_index_check($1)" 2>&1)" && return
    [[ $said == *'conflict with recovery'* ]] || break
  done
  [[ $said != *'conflict with recovery'* ]] || said="could not be checked; replay cancelled it five times: $said"
  echo "$2: $said"
  return 1
}

export -f query check_index
mapfile -t indexes < <(query <"$here/indexes.sql")
echo "${#indexes[@]} indexes to check" >>"$progress"
((${#indexes[@]})) || exit 0
# shellcheck disable=SC2016
if ! printf '%s\0' "${indexes[@]}" | xargs -0 -P 2 -n 1 bash -c 'check_index "${0%% *}" "${0#* }"'; then
  echo "these text indexes are not in the order of this host's libc, or damaged. REINDEX them on the source if amcheck finds the same there;" \
    "otherwise the two systems' collations differ, and the target needs the source's release"
  exit 1
fi
