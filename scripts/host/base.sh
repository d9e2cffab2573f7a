# host/base (target): the packages that the other steps need, the app's user with the source's ids, and no service running by itself.
# shellcheck shell=bash
. "$scripts/lib/packages.sh"

# What an installation would start at once; each is set up and started by its own step.
asleep=("postgresql" "redis-server" "pgbouncer" "haproxy")

present() {
  check_system
  install_packages
  make_user
  name_self
  result os "$(. /etc/os-release && echo "$PRETTY_NAME")" pgbouncer "$(pgbouncer_version)" packages "${#missing[@]}"
}

# The packages stay: they may have been there for another reason, and they hold nothing.
absent() {
  if [[ -f $state/made-user ]]; then
    # Nothing of the app is left when this step is undone; the home goes with the tree.
    userdel "$APP_USER" 2>/dev/null || true
    drop_group
    drop_file "$state/made-user" "$state/made-group" "$state/had-group"
  fi
  leave_no_trace
}

# userdel may take a group of the user's name along, or leave it. One that was there before is put back; ours goes, unless
# somebody else is in it.
drop_group() {
  local found others
  found="$(getent group "$APP_GID")" || true
  others="${found##*:} $(getent passwd | awk -F: -v gid="$APP_GID" '$4 == gid { print $1 }' | xargs)"
  if [[ ! -f $state/made-group ]]; then
    [[ -n $found || ! -f $state/had-group ]] || groupadd --gid "$APP_GID" "$APP_USER"
  elif [[ $found != "$APP_USER":* ]]; then
    return
  elif [[ $others == " " ]]; then
    groupdel "$APP_USER"
  else
    log "host/base: the group $APP_USER stays on this host: others are in it: $(xargs <<<"$others")"
  fi
}

check_system() {
  local id
  id="$(. /etc/os-release && echo "$ID ${ID_LIKE:-}")"
  [[ $id == *debian* ]] || die "a Debian or Ubuntu on the target" "$id" "give a target with the source's own system"
  command -v systemctl >/dev/null || die "systemd on the target" "no systemctl" "give a target that is a whole server, not a container"
}

# package:program that shows that it is there. haproxy and pgbouncer are asked by their own paths.
wanted_packages() {
  cat <<-END
	postgresql-$PG_MAJOR /usr/lib/postgresql/$PG_MAJOR/bin/postgres
	postgresql-client-$PG_MAJOR /usr/lib/postgresql/$PG_MAJOR/bin/psql
	postgresql-$PG_MAJOR /usr/share/postgresql/$PG_MAJOR/extension/amcheck.control
	postgresql-common /usr/bin/pg_lsclusters
	pgbouncer /usr/sbin/pgbouncer
	redis-server /usr/bin/redis-server
	redis-tools /usr/bin/redis-cli
	haproxy /usr/sbin/haproxy
	nginx /usr/sbin/nginx
	rsync /usr/bin/rsync
	openssh-client /usr/bin/ssh
	openssl /usr/bin/openssl
	curl /usr/bin/curl
	python3 /usr/bin/python3
	ca-certificates /usr/sbin/update-ca-certificates
	locales /usr/sbin/locale-gen
	END
  # To renew from settle on what it renews on the source (web/renewal).
  [[ -z ${RENEWALS:-} ]] || echo certbot /lib/systemd/system/certbot.timer
}

missing_packages() {
  local package file
  while read -r package file; do
    [[ -e $file ]] || echo "$package"
  done < <(wanted_packages) | sort -u
}

install_packages() {
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  changed=yes
  log "installing ${missing[*]}"
  # A service that starts at its installation would take ports and make an empty cluster's files busy.
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    put_file /usr/sbin/policy-rc.d 0755 root:root <<<$'#!/bin/sh\n# Made by Trunkline while it installs packages\nexit 101'
  fi
  prefer_newer
  apt update -q || log "apt-get update failed; trying with the lists that are there"
  local status=0
  apt install --no-install-recommends "${missing[@]}" || status=$?
  grep -qs 'Made by Trunkline' /usr/sbin/policy-rc.d && rm -f /usr/sbin/policy-rc.d
  ((status == 0)) || die "apt to install ${missing[*]}" "status $status; its message stands above" "mend apt on the target (sources, network), then run \`pulumi up\` again"
  systemctl disable --quiet "${asleep[@]}" 2>/dev/null || true
}

# PostgreSQL's own archive, where the system has no Postgres of that major, or a PgBouncer from before 1.24.
prefer_newer() {
  local version script=/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh
  apt update -q || true
  version="$(apt-cache policy pgbouncer | awk '$1 == "Candidate:" { print $2 }')"
  if apt-cache show "postgresql-$PG_MAJOR" >/dev/null 2>&1 &&
    { [[ " ${missing[*]} " != *" pgbouncer "* ]] || dpkg --compare-versions "$version" ge 1.24; }; then
    return 0
  fi
  apt install --no-install-recommends postgresql-common ca-certificates || return 0
  timeout 120 bash "$script" -y </dev/null ||
    log "PostgreSQL's own package archive cannot be reached; going on with the system's packages"
}

pgbouncer_version() { pgbouncer --version 2>/dev/null | sed -n 's/^PgBouncer \([0-9.]*\).*/\1/p'; }

make_user() {
  local found
  found="$(id -u "$APP_USER" 2>/dev/null || true)"
  if [[ -n $found ]]; then
    [[ $found == "$APP_UID" && $(id -g "$APP_USER") == "$APP_GID" ]] ||
      die "user $APP_USER with the source's ids $APP_UID:$APP_GID" "$found:$(id -g "$APP_USER")" \
        "remove or renumber that user on the target, so that files keep their owner"
    return
  fi
  found="$(getent passwd "$APP_UID" | cut -d: -f1 || true)"
  [[ -z $found ]] || die "user id $APP_UID to be free for $APP_USER" "it is $found's" "renumber $found on the target (usermod -u), or take another server"
  found="$(getent group "$APP_GID" | cut -d: -f1 || true)"
  touch "$state/made-user"
  if [[ -z $found ]]; then
    touch "$state/made-group"
    groupadd --gid "$APP_GID" "$APP_USER"
  elif [[ ! -f $state/made-group ]]; then
    touch "$state/had-group"
  fi
  useradd --key UID_MIN=1 --uid "$APP_UID" --gid "$APP_GID" --home-dir "$APP_HOME" --no-create-home --shell /bin/bash "$APP_USER"
  changed=yes
}

# sudo and Postgres' tools wait for a name server when the host does not know its own name.
name_self() {
  local name
  name="$(uname -n)"
  getent hosts "$name" >/dev/null && return
  echo "127.0.1.1 $name" >>/etc/hosts
  changed=yes
}
