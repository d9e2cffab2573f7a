#!/usr/bin/env bash
# The unit that a reboot in the middle of rolling.sh starts before nginx: the second web process is gone then, and the first one
# serves, with the settings that are in the app's file. nginx gets its own files back; the next `up` sees the rest through.
set -Eeuo pipefail
scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$scripts/lib.sh"

while read -r file; do restore_original "$file"; done <"$state/storage.routed"
