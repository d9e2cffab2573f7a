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

system() {
  ((EUID == 0)) || fail "the lab boots systemd hosts in network namespaces: run it as root (sudo npm run …), on Debian or Ubuntu"
  [[ -e /etc/debian_version ]] || fail "this is no Debian or Ubuntu: run it in a virtual machine with Debian 12"
  with_lock packages install_packages "${needed[@]}"
  [[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || fail "no /dev/net/tun: the delay between the sites needs it (modprobe tun)"
  command -v node >/dev/null || fail "no node: install Node 20 or later"
  command -v go >/dev/null || fail "no go: install Go 1.25 or later (the delay router and, offline, the engine are built with it)"
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
modules() { modules_are_fresh || with_lock modules install_modules; }
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
