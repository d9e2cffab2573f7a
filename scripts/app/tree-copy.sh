#!/usr/bin/env bash
# The unit of app/tree: brings over the app's home, without media, logs, temporary files and secrets.
set -Eeuo pipefail
scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
step=app/tree SIDE=target explained=no
. "$scripts/lib.sh"
. "$scripts/lib/source.sh"
# shellcheck source=/dev/null
. "$run/app-tree.settings"

# below ROOT PATH: PATH as a pattern anchored at ROOT, if it lies there.
below() { [[ $2 == "$1"/* ]] && printf '%s' "/${2#"$1"/}"; }

# With a slash at its end a pattern means folders only: a link to media elsewhere is carried as one.
exclusions() { # ROOT
  local path
  for path in "$MEDIA_DIR" "$APP_DIR/public/system/" "$APP_DIR/.env.production" "$APP_DIR/log" "$APP_DIR/tmp" "$APP_HOME/.cache" "$APP_HOME/.ssh"; do
    path="$(below "$1" "$path")" && printf -- '--exclude=%s\n' "$path"
  done
  return 0
}

copy() { # NAME FOLDER
  local name=$1 folder=$2 exclude=()
  mapfile -t exclude < <(exclusions "$folder")
  mkdir -p "$folder"
  source_rsync --archive --hard-links --delete --delete-delay --partial --stats --info=progress2 --no-inc-recursive \
    ${RATE_MIB:+--bwlimit="$((RATE_MIB * 1024))"} "${exclude[@]}" "source:$name/" "$folder/" |
    stdbuf -oL tr '\r' '\n' | tee "$run/app-tree.progress" |
    awk '/^Number of regular files transferred:/ { gsub(",", ""); n += $NF } /^Number of (created|deleted) files:/ { gsub(",", ""); n += $5 } END { print n + 0 }'
}

moved="$(copy home "$APP_HOME")"
[[ $APP_DIR/ == "$APP_HOME"/* ]] || moved=$((moved + $(copy app "$APP_DIR")))
echo "$moved" >"$run/app-tree.result"
