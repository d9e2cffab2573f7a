#!/usr/bin/env bash
# The unit of media/copy: one rsync over everything; what an earlier run brought is not brought again.
set -Eeuo pipefail
scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
step=media/copy SIDE=target explained=no
. "$scripts/lib.sh"
. "$scripts/lib/source.sh"
# shellcheck source=/dev/null
. "$run/media-copy.settings"
mark=$state/media.mark

source_read clock >"$mark.new"
# What Trunkline keeps among the media for itself (.trunkline…) is each host's own: it is neither carried nor deleted.
# A file that goes away while it is copied (24) was deleted by its owner.
status=0
source_rsync --archive --delete --delete-delay --partial --info=progress2 --stats --bwlimit="$((${RATE_MIB:-0} * 1024))" --exclude='/.trunkline*' \
  source:media/ "$MEDIA_DIR/" > >(stdbuf -oL tr '\r' '\n' >"$run/media-copy.progress") || status=$?
((status == 0 || status == 24)) || exit "$status"
wait "$!" 2>/dev/null || true
awk '/^Number of regular files transferred:/ { gsub(",", ""); n = $NF } /^Total transferred file size:/ { gsub(",", ""); b = $5 } END { print n + 0, b + 0 }' \
  "$run/media-copy.progress" >"$run/media-copy.result"
mv "$mark.new" "$mark"
