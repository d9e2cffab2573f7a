#!/usr/bin/env bash
# Gets the Pulumi CLI that package.json names, in the place where the npm launcher looks for it, and prints its path.
# The vendor's download where it can be reached, else built from its Go module. With --path it only prints the path.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../lab/paths.sh"

root="$here/../.."
version="$(node -p 'require(process.argv[1]).devDependencies.pulumi' "$root/package.json")"
export PULUMI_HOME="${PULUMI_HOME:-$cache/pulumi}" PULUMI_SKIP_UPDATE_CHECK=true
folder="$PULUMI_HOME/versions/$version" cli="$PULUMI_HOME/versions/$version/bin/pulumi"

download() {
  curl --silent --fail --head --output /dev/null --connect-timeout 4 --max-time 5 https://get.pulumi.com/install.sh || return 1
  say "downloading the Pulumi CLI $version"
  # Cut short, it would leave half a folder that looks like a whole one.
  (cd "$root" && timeout 300 npx --no-install pulumi version >&2) || { rm -rf "$folder"; return 1; }
}

build() {
  local module=github.com/pulumi/pulumi half="$cli.half" beat
  command -v go >/dev/null || fail "the Pulumi CLI can be neither downloaded nor built: install Go 1.25 or later, or reach get.pulumi.com"
  say "the vendor's download is out of reach; building the Pulumi CLI $version from its Go module (four to ten minutes, once)"
  mkdir -p "$folder/bin"
  # Says so every 20 s until its input ends, which is when we close it or die.
  exec {beat}> >(while read -r -t 20 _ || (($? > 128)); do say "still building, $SECONDS s so far"; done)
  # Without the version in it the Automation API refuses the program.
  (cd "$here/../tools" && go build -mod=readonly -o "$half" \
    -ldflags "-s -w -X $module/sdk/v3/go/common/version.Version=v$version" "$module/pkg/v3/cmd/pulumi" 2>"$folder/build.log") ||
    { tail -n 20 "$folder/build.log" >&2; fail "the Pulumi CLI did not build; the log is $folder/build.log"; }
  exec {beat}>&-
  mv "$half" "$cli"
}

get() {
  [[ -x "$cli" ]] && return 0
  download || build
  [[ "$("$cli" version)" == "v$version" ]] || fail "$cli says it is version '$("$cli" version)', expected v$version: remove $folder and run again"
  say "Pulumi CLI $version ready after $SECONDS s"
}

[[ "${1:-}" == --path ]] || [[ -x "$cli" ]] || with_lock engine get >&2
echo "$cli"
