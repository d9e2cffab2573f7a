#!/usr/bin/env bash
# Makes what hosts of the bench have on top of the base system: the tools that ours is measured against, from Debian.
# Prints its folder, which is laid over a host's tree before it boots. With --path it only prints the folder.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../lab/paths.sh"

packages=(repmgr patroni etcd-server)
# They are set up by the bench, and started by it.
asleep=(patroni etcd repmgrd)

base="$("$here/../lab/image.sh" --path)"
recipe="$(cat "${BASH_SOURCE[0]}"; echo "$base")"
layer="$images/bench-$(sha256sum <<<"$recipe" | cut -c1-16)"

# Runs in a mount namespace of its own, so that no mount is left behind.
install_into() { # FOLDER
  local root="$1/root"
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$1/upper,workdir=$1/work" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  install -m 0755 /dev/stdin "$root/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101'
  chroot "$root" apt-get -q update
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q install --yes --no-install-recommends "${packages[@]}"
  chroot "$root" systemctl --quiet disable "${asleep[@]}"
  chroot "$root" apt-get clean
  rm -rf "$root"/var/lib/apt/lists/* "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"
}

build() {
  [[ -d "$layer" ]] && return 0
  local half="$layer.half"
  rm -rf --one-file-system "$half"
  mkdir -p "$half"/{upper,work,root}
  say "installing ${packages[*]} for the bench"
  unshare --mount --propagation private "$here/layer.sh" --into "$half" >"$half/log" 2>&1 ||
    { tail -n 20 "$half/log" >&2; fail "it failed; its log is $half/log"; }
  # What apt removed stands there as a device, which would be copied as one.
  find "$half/upper" -type c -delete
  rm -rf "$half/upper/run" "$half/upper/tmp"
  mv "$half/upper" "$layer"
  rm -rf "$half"
}

case "${1:-}" in
  --into) install_into "$2" ;;
  --path) echo "$layer" ;;
  *)
    [[ -d "$layer" ]] || with_lock layer build >&2
    echo "$layer"
    ;;
esac
