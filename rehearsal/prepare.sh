#!/usr/bin/env bash
# Gets everything a rehearsal or a test needs: packages, npm modules, the hosts' base system, the tools, the engine.
# prepare.sh [system|modules|image|tools|engine|testing …] does only those; what is there already costs nothing.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/lab/paths.sh"

needed=(
  mmdebstrap systemd-container debian-archive-keyring iproute2 nftables iputils-ping util-linux e2fsprogs procps
  openssl openssh-client rsync curl ca-certificates shellcheck
)
# What the tests need beyond that: a browser for the report, servers that they start themselves in scratch folders, git.
tested=(chromium postgresql redis-server openssh-server git)

node_is_there() { command -v node >/dev/null || fail "no node: install Node 20 or later"; }

# A Go from 1.21 on gets the one that go.mod asks for by itself, unless it is told not to; asked here, it does so before
# anything is built. An older one does not know how, and can't even read the file.
go_is_new_enough() {
  local needs has way="from https://go.dev/dl, since the system's own package is often older (1.19 in Debian 12)"
  needs="$(awk '$1 == "go" { print $2 }' "$here/tools/go.mod")"
  command -v go >/dev/null || fail "no go: install Go $needs or later $way (the delay router and, offline, the engine are built with it)"
  has="$(cd "$here/tools" && go version 2>&1)" || fail "go is older than $needs, and could not get that by itself ($has): install Go $needs or later $way"
  has="$(sed -n 's/^go version .*\<go\([0-9][0-9.]*\).*/\1/p' <<<"$has")"
  [[ "$(printf '%s\n' "$needs" "$has" | sort --version-sort | head -n 1)" == "$needs" ]] ||
    fail "go is $has, too old for what the lab builds with it: install Go $needs or later $way"
}

system() {
  ((EUID == 0)) || fail "the lab boots systemd hosts in network namespaces: run it as root (sudo npm run …), on Debian or Ubuntu"
  [[ -e /etc/debian_version ]] || fail "this is no Debian or Ubuntu: run it in a virtual machine with Debian 12"
  node_is_there
  go_is_new_enough
  with_lock packages install_packages "${needed[@]}"
  [[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || fail "no /dev/net/tun: the delay between the sites needs it (modprobe tun)"
}

missing_packages() {
  local package
  for package in "$@"; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  say "installing the packages ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update
  quietly apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
}

modules_are_fresh() { [[ "$here/../node_modules/.package-lock.json" -nt "$here/../package-lock.json" ]]; }

install_modules() {
  modules_are_fresh && return 0
  say "installing the npm modules"
  cd "$here/.."
  quietly npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
}

# quietly CMD…: its output only if it fails.
quietly() {
  local out
  out="$("$@" 2>&1)" || { printf '%s\n' "$out" | tail -n 30 >&2; fail "failed: $*"; }
}

testing() { with_lock packages install_packages "${tested[@]}"; }
modules() {
  node_is_there
  modules_are_fresh || with_lock modules install_modules
}
image() { "$here/lab/image.sh" >/dev/null; }
tools() { "$here/tools/build.sh" >/dev/null; }
engine() { "$here/engine/cli.sh" >/dev/null; }

parts=("$@")
((${#parts[@]})) || parts=(system modules image tools engine)
for part in "${parts[@]}"; do
  case "$part" in
    system | modules | image | tools | engine | testing) "$part" ;;
    *) fail "unknown part '$part': expected system, modules, image, tools, engine, testing" ;;
  esac
done
