# pooler/up (target): what the app talks to. PgBouncer for SQL and HAProxy for Redis both point to the source until the
# switchover, and to this host from then on; a symbolic link says where, so that a reboot agrees.
# shellcheck shell=bash
# Extra settings: APP_PASSWORD

. "$scripts/pooler/pgbouncer.sh"
. "$scripts/pooler/haproxy.sh"
ini=/etc/pgbouncer
haproxy=/etc/haproxy
passfile=$etc/app.pgpass
tunnel=/etc/systemd/system/trunkline-tunnel@.service

present() {
  find_side
  write_app_passfile
  pgbouncer_files
  haproxy_files
  # Retired, with the tunnels gone, this host has no source to keep ready (tunnel/leave).
  [[ $side == target && ! -e $tunnel ]] || relay_unit
  run_unit pgbouncer "$pgbouncer_changed"
  run_unit haproxy "$haproxy_changed"
  wait_until 30 "a query through PgBouncer on port $PORT_POOLER" query_answers
  wait_until 15 "Redis to answer through HAProxy on port $PORT_REDIS_PROXY" redis_answers
  result side "$side" version "$(pgbouncer --version | sed -n 's/^PgBouncer //p')"
}

absent() {
  local file
  drop_unit relay
  for file in pgbouncer haproxy; do
    [[ -e /etc/systemd/system/$file.service.d/trunkline.conf ]] || continue
    systemctl disable --quiet --now "$file"
    drop_file "/etc/systemd/system/$file.service.d/trunkline.conf"
    rmdir --ignore-fail-on-non-empty "/etc/systemd/system/$file.service.d"
    systemctl daemon-reload
  done
  drop_file "$ini/trunkline.source.ini" "$ini/trunkline.target.ini" "$ini/trunkline.relay.ini" \
    "$haproxy/trunkline.source.cfg" "$haproxy/trunkline.target.cfg" "$passfile" \
    "$state/started-trunkline-relay" "$state/started-pgbouncer" "$state/started-haproxy"
  restore_original "$ini/pgbouncer.ini"
  restore_original "$ini/userlist.txt"
  restore_original "$haproxy/haproxy.cfg"
}

# Where the primary is: this host, once its Postgres was promoted.
find_side() {
  side=source
  if [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" == t ]]; then side=target; fi
}

# put UNIT PATH MODE [OWNER]: put_file, and remembers that UNIT has to learn of it.
put() {
  put_file "$2" "$3" "${4:-postgres:postgres}"
  [[ $file_changed == no ]] || declare -g "${1}_changed=yes"
}

link_to() { # UNIT NAME LINK
  [[ "$(readlink "$3")" != "$2" ]] || return 0
  ln -sfn "$2" "$3.part"
  mv -T "$3.part" "$3"
  declare -g "${1}_changed=yes"
  changed=yes
}

# Enabled, started again by systemd whenever it dies, and running with its present files.
run_unit() {
  put_file "/etc/systemd/system/$1.service.d/trunkline.conf" 0644 root:root <<-END
	[Unit]
	StartLimitIntervalSec=0
	[Service]
	Restart=always
	RestartSec=100ms
	LimitNOFILE=65536
	END
  [[ $file_changed == no ]] || systemctl daemon-reload
  start_unit_now "$1" "$2"
}

start_unit_now() { # UNIT CHANGED
  if ! systemctl is-enabled --quiet "$1"; then systemctl enable --quiet "$1"; changed=yes; fi
  # A new address is only taken at a start. Later on the app is connected, and a reload does.
  if [[ ! -e $state/started-$1 ]] || ! systemctl is-active --quiet "$1"; then
    systemctl restart "$1"
    touch "$state/started-$1"
    changed=yes
  elif [[ $2 == yes ]]; then
    systemctl reload "$1"
  fi
}

query_answers() {
  local said
  said="$(PGPASSFILE="$passfile" psql -XAtq "host=127.0.0.1 port=$PORT_POOLER user=trunkline_app dbname='${DB_NAME//\'/\\\'}' connect_timeout=5" -c 'SELECT current_user' 2>&1)" || {
    echo "$said"
    return 1
  }
  [[ $said == "$DB_USER" ]] || { echo "it acts as $said, not as $DB_USER"; return 1; }
}

redis_answers() {
  local line
  exec 8<>"/dev/tcp/127.0.0.1/$PORT_REDIS_PROXY" || return 1
  printf 'PING\r\n' >&8
  IFS= read -r -t 3 line <&8 || true
  exec 8>&-
  [[ $line =~ ^(\+PONG|-NOAUTH|-DENIED) ]] || { echo "${line:-no answer}"; return 1; }
}

write_app_passfile() {
  local escaped=${APP_PASSWORD//\\/\\\\}
  put_file "$passfile" 0600 root:root <<<"*:*:*:trunkline_app:${escaped//:/\\:}"
}
