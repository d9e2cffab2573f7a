# Packages of this host's system.
# shellcheck shell=bash

# apt VERB ARG…: never asks, waits for another apt, keeps files that an admin changed.
apt() {
  local verb=$1
  shift
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 timeout 900 apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold "$verb" "$@" </dev/null 9>&-
}

# not_installed PACKAGE…: those of them that are not, one a line.
not_installed() {
  local package
  for package; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' -- "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done
}
