#!/usr/bin/env bash
# Makes the base system that every host of the lab is an overlay on, once per recipe, and prints its folder.
# With --path it only prints the folder. The recipe is this file and the machine's Node.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/paths.sh"

suite=bookworm
packages=(
  systemd systemd-sysv dbus udev cron locales sudo procps less
  iproute2 iputils-ping nftables dnsutils curl ca-certificates openssl
  openssh-server openssh-client rsync rclone sshfs jq python3
  postgresql postgresql-contrib pgbouncer redis-server redis-tools nginx haproxy
  pgbackrest borgbackup certbot
  podman crun netavark aardvark-dns iptables docker-compose tini
)
# A host enables what it is; the rest would only hold ports and memory.
asleep=(postgresql redis-server nginx pgbouncer haproxy podman.socket podman.service podman-restart.service
  podman-auto-update.timer podman-auto-update.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer certbot.timer)

node="$(readlink -f "$(command -v node)")"
recipe="$(cat "${BASH_SOURCE[0]}"; "$node" --version; dpkg --print-architecture)"
image="$images/$(sha256sum <<<"$recipe" | cut -c1-16)"

# The machine's own Debian mirror if it has one, so that a local mirror or cache is used; else mmdebstrap's default.
mirrors() {
  apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" 'Created-By: Packages' | sort -u |
    sed -n "s|^Debian \(.*\)|deb \1 $suite main\ndeb \1 $suite-updates main|p
            s|^Debian-Security \(.*\)|deb \1 $suite-security main|p"
}

# The default cluster was made before any locale existed; real servers have a UTF-8 one.
furnish() {
  local root="$1" major
  echo 'en_US.UTF-8 UTF-8' >"$root/etc/locale.gen"
  echo 'LANG=en_US.UTF-8' >"$root/etc/default/locale"
  chroot "$root" locale-gen >/dev/null
  major="$(ls "$root/usr/lib/postgresql")"
  chroot "$root" pg_dropcluster "$major" main
  chroot "$root" pg_createcluster --locale en_US.UTF-8 --encoding UTF8 "$major" main >/dev/null
  # Empty would mean "first boot", at which systemd enables everything again; each host gets its own.
  chroot "$root" systemd-machine-id-setup >/dev/null 2>&1
  chroot "$root" systemctl --quiet disable "${asleep[@]}" 2>/dev/null
  install -m 0755 "$node" "$root/usr/bin/node"
  chroot "$root" node --version >/dev/null || fail "this machine's $node does not run in the image: is it a static build for glibc?"
  rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf" "$root/etc/hostname"
}

build() {
  [[ -d "$image" ]] && return 0
  local half="$image.half" list mirror=()
  rm -rf --one-file-system "$half"
  mkdir -p "$half"
  mapfile -t mirror < <(mirrors)
  list="$(IFS=,; echo "${packages[*]}")"
  say "making the hosts' base system (Debian $suite, ${#packages[@]} packages, about a minute)"
  mmdebstrap --variant=minbase --include="$list" --aptopt='APT::Install-Recommends "false"' \
    "$suite" "$half/root" "${mirror[@]}" >"$half/log" 2>&1 ||
    { tail -n 20 "$half/log" >&2; fail "mmdebstrap failed; its log is $half/log"; }
  furnish "$half/root"
  mv "$half/root" "$image"
  rm -rf "$half"
  say "base system ready: $(du -sh "$image" | cut -f1)"
}

[[ "${1:-}" == --path ]] || [[ -d "$image" ]] || with_lock image build >&2
echo "$image"
