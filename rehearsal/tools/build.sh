#!/usr/bin/env bash
# Builds the lab's own tools, once per version of their sources, and prints their folder. With --path it only prints it.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../lab/paths.sh"

cd "$here"
sources="$(cat build.sh go.mod delay/*.go s3/go.mod; go version)"
folder="$tools/$(sha256sum <<<"$sources" | cut -c1-16)"

build() {
  [[ -d "$folder" ]] && return 0
  local half="$folder.half"
  rm -rf "$half"
  mkdir -p "$half"
  say "building the delay router"
  # No module is needed for it, so none may be asked for.
  GOPROXY=off go build -mod=readonly -o "$half/delay" ./delay || fail "go build of rehearsal/tools/delay failed"
  say "building the object store's server (a minute the first time)"
  # A module of its own: what it depends on is not what the engine depends on.
  (cd s3 && go build -mod=readonly -ldflags '-s -w' -o "$half/versitygw" github.com/versity/versitygw/cmd/versitygw) ||
    fail "go build of versitygw failed"
  mv "$half" "$folder"
}

[[ "${1:-}" == --path ]] || [[ -d "$folder" ]] || with_lock tools build >&2
echo "$folder"
