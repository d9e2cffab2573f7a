#!/usr/bin/env bash
# images.sh VERSION FOLDER: makes the four images of a Compose install from what this host has, since in the lab there is no
# registry to pull from: programs by their packages, with the libraries they load, and FOLDER's mastodon and streaming.
# Users and paths are those of the official images; the database's is Debian's, so of glibc and of this Postgres.
set -euo pipefail
version=$1 folder=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
postgres="$(ls /usr/lib/postgresql)"

# programs PACKAGE…: where the packages' own programs are.
programs() { dpkg -L "$@" | grep -E '^(/usr)?/s?bin/' || true; }

mapfile -t basics < <(programs bash dash coreutils findutils grep sed procps curl hostname libc-bin tini)
basics+=(/usr/bin/setpriv /etc/ssl/certs /usr/share/ca-certificates /usr/lib/locale /usr/share/zoneinfo)

# libraries FILE…: what the programs among them load.
libraries() {
  find "$@" -type f \( -perm -u+x -o -name '*.so*' ! -name 'llvmjit*' \) -exec ldd {} + 2>/dev/null | grep -oE '/[^ ]+[^ :]' | sort -u
}

# system ROOT USER UID FILE…: a root with the basics and these files, and one user.
system() {
  local root=$1 user=$2 uid=$3 files
  shift 3
  files=("${basics[@]}" "$@")
  mapfile -t -O "${#files[@]}" files < <(libraries "${files[@]}")
  mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,usr/local/bin,var}
  ln -s ../run "$root/var/run"
  chmod 1777 "$root/tmp"
  printf '%s\n' "${files[@]#/}" | tar -C / --dereference --ignore-failed-read --files-from=- --create 2>/dev/null |
    tar -C "$root" --extract
  printf '%s\n' "root:x:0:0:root:/root:/bin/bash" "$user:x:$uid:$uid::/:/bin/bash" >"$root/etc/passwd"
  printf '%s\n' "root:x:0:" "$user:x:$uid:" >"$root/etc/group"
  echo "hosts: files dns" >"$root/etc/nsswitch.conf"
}

# become ROOT: an entrypoint that owns the folder of the data and starts as the user, as the official ones do; from standard input.
become() {
  cat >"$1/usr/local/bin/docker-entrypoint.sh"
  chmod 0755 "$1/usr/local/bin/docker-entrypoint.sh"
}

# import ROOT NAME CHANGE…
import() {
  local root=$1 name=$2 changes=() change
  shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$root" --create . | podman import --quiet "${changes[@]}" - "$name" >/dev/null
  rm -rf "$root"
}

database() {
  local root="$scratch/db" bin="/usr/lib/postgresql/$postgres/bin"
  system "$root" postgres 999 "/usr/lib/postgresql/$postgres" "/usr/share/postgresql/$postgres"
  become "$root" <<'ENTRY'
#!/bin/bash
set -euo pipefail
if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown -R postgres:postgres "$PGDATA" /run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  initdb --username=postgres --auth="$POSTGRES_HOST_AUTH_METHOD" --encoding=UTF8 --locale=en_US.UTF-8 >/dev/null
  echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*'
ENTRY
  import "$root" "docker.io/library/postgres:$postgres-bookworm" \
    "ENV PATH=/usr/local/bin:$bin:/usr/bin:/bin" "ENV PGDATA=/var/lib/postgresql/data" "ENV LANG=en_US.utf8" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' "EXPOSE 5432" "STOPSIGNAL SIGINT"
}

redis() {
  local root="$scratch/redis"
  system "$root" redis 999 /usr/bin/redis-server /usr/bin/redis-cli
  become "$root" <<'ENTRY'
#!/bin/bash
set -euo pipefail
if [[ $(id -u) == 0 ]]; then
  chown -R redis:redis /data
  exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
exec "$@" --protected-mode no
ENTRY
  import "$root" docker.io/library/redis:7-bookworm 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["redis-server"]' \
    "ENV PATH=/usr/local/bin:/usr/bin:/bin" "WORKDIR /data" "EXPOSE 6379"
}

# app NAME NODE PORT CHANGE…: FOLDER/NAME below /opt/mastodon. NODE: where Node.js goes; only the streaming image has it in its PATH.
app() {
  local name=$1 node=$2 port=$3 root="$scratch/$1" needed
  shift 3
  mapfile -t needed < <(libraries "$(command -v node)")
  system "$root" mastodon 991 "${needed[@]}"
  mkdir -p "$root/opt"
  cp -a "$folder/$name" "$root/opt/mastodon"
  mkdir -p "$root/opt/mastodon/public/system" "$root/opt/mastodon/tmp" "$root$(dirname "$node")"
  chown -R 991:991 "$root/opt/mastodon"
  ln -s /opt/mastodon "$root/mastodon"
  cp "$(command -v node)" "$root$node"
  import "$root" "ghcr.io/mastodon/$name:v$version" 'ENTRYPOINT ["/usr/bin/tini","--"]' "USER mastodon" "WORKDIR /opt/mastodon" \
    "ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/mastodon/bin" "ENV NODE_ENV=production" "ENV BIND=0.0.0.0" "EXPOSE $port" "$@"
}

database
redis
app mastodon /opt/mastodon/lib/standin/node 3000 "ENV RAILS_ENV=production" "ENV RAILS_SERVE_STATIC_FILES=true" \
  "ENV MASTODON_USE_LIBVIPS=true" \
  "ENV MASTODON_SIDEKIQ_READY_FILENAME=sidekiq_process_has_started_and_will_begin_processing_jobs"
app mastodon-streaming /usr/local/bin/node 4000
