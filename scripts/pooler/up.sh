# pooler/up (target): what the app talks to. PgBouncer for SQL and HAProxy for Redis both point to the source until the
# switchover, and to this host from then on; a symbolic link says where, so that a reboot agrees.
# shellcheck shell=bash
# Extra settings: APP_PASSWORD

ini=/etc/pgbouncer
haproxy=/etc/haproxy
passfile=$etc/app.pgpass

present() {
  find_side
  write_app_passfile
  pgbouncer_files
  haproxy_files
  run_unit pgbouncer "$pgbouncer_changed"
  run_unit haproxy "$haproxy_changed"
  wait_until 30 "a query through PgBouncer on port $PORT_POOLER" query_answers
  wait_until 15 "Redis to answer through HAProxy on port $PORT_REDIS_PROXY" redis_answers
  result side "$side" version "$(pgbouncer --version | sed -n 's/^PgBouncer //p')"
}

absent() {
  local file
  for file in pgbouncer haproxy; do
    [[ -e /etc/systemd/system/$file.service.d/trunkline.conf ]] || continue
    systemctl disable --quiet --now "$file"
    drop_file "/etc/systemd/system/$file.service.d/trunkline.conf"
    rmdir --ignore-fail-on-non-empty "/etc/systemd/system/$file.service.d"
    systemctl daemon-reload
  done
  drop_file "$ini/trunkline.source.ini" "$ini/trunkline.target.ini" "$haproxy/trunkline.source.cfg" "$haproxy/trunkline.target.cfg" \
    "$passfile" "$state/started-pgbouncer" "$state/started-haproxy"
  restore_original "$ini/pgbouncer.ini"
  restore_original "$ini/userlist.txt"
  restore_original "$haproxy/haproxy.cfg"
}

# Where the primary is: this host, once its Postgres was promoted.
find_side() {
  side=source
  if [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" == t ]]; then side=target; fi
}

pgbouncer_files() {
  pgbouncer_changed=no
  save_original "$ini/pgbouncer.ini"
  save_original "$ini/userlist.txt"
  put pgbouncer "$ini/userlist.txt" 0640 <<<"\"trunkline_app\" \"${APP_PASSWORD//\"/\"\"}\""
  # Logins over the tunnel cost round trips, so connections are kept ready there; here they cost a millisecond.
  pgbouncer_ini "host=127.0.0.1 port=$PORT_SQL" 20 | put pgbouncer "$ini/trunkline.source.ini" 0640
  pgbouncer_ini "host=/var/run/postgresql port=$PORT_TARGET_PG" 5 | put pgbouncer "$ini/trunkline.target.ini" 0640
  link_to pgbouncer "trunkline.$side.ini" "$ini/pgbouncer.ini"
}

pgbouncer_ini() { # WHERE READY
  # PgBouncer's file has no quotes for an odd name; `*` takes it as the client says it.
  local name='*'
  [[ ! $DB_NAME =~ ^[A-Za-z0-9_.-]+$ ]] || name=$DB_NAME
  cat <<-END
	;; Made by Trunkline; pgbouncer.ini is a link to this file or to the one for the other side.
	[databases]
	$name = $1
	[pgbouncer]
	min_pool_size = $2
	default_pool_size = ${POOL_SIZE:-40}
	max_client_conn = 2000
	listen_addr = 127.0.0.1
	listen_port = $PORT_POOLER
	unix_socket_dir = /var/run/postgresql
	logfile = /var/log/postgresql/pgbouncer.log
	pidfile = /var/run/postgresql/pgbouncer.pid
	auth_type = scram-sha-256
	auth_file = $ini/userlist.txt
	pool_mode = transaction
	server_lifetime = 86400
	server_idle_timeout = 0
	; The tunnel encrypts already.
	server_tls_sslmode = disable
	; The default of 15 s would make one failed login a stall of 15 s.
	server_login_retry = 0.5
	; Longer than any switchover, its undoing included; the app waits meanwhile.
	query_wait_timeout = 120
	ignore_startup_parameters = extra_float_digits,statement_timeout,idle_in_transaction_session_timeout,lock_timeout
	log_connections = 0
	log_disconnections = 0
	END
  # From 1.21 on prepared statements survive transaction pooling.
  if version_from 1.21; then echo "max_prepared_statements = 200"; fi
}

version_from() { printf '%s\n' "$1" "$(pgbouncer --version | sed -n 's/^PgBouncer //p')" | sort -CV; }

haproxy_files() {
  haproxy_changed=no
  save_original "$haproxy/haproxy.cfg"
  haproxy_cfg '' ' disabled' | put haproxy "$haproxy/trunkline.source.cfg" 0644 root:root
  haproxy_cfg ' disabled' '' | put haproxy "$haproxy/trunkline.target.cfg" 0644 root:root
  # Redis may still be where Postgres no longer is, if a switchover was cut off in between: then the link knows better.
  [[ "$(readlink "$haproxy/haproxy.cfg")" == trunkline.* ]] || link_to haproxy "trunkline.$side.cfg" "$haproxy/haproxy.cfg"
}

haproxy_cfg() { # SOURCE TARGET: ` disabled` or nothing
  cat <<-END
	# Made by Trunkline: Redis for the app.
	global
	  chroot /var/lib/haproxy
	  stats socket $REDIS_PROXY_ADMIN mode 660 level admin
	  user haproxy
	  group haproxy
	  maxconn 4000

	defaults
	  mode tcp
	  maxconn 4000
	  timeout connect 5s
	  retries 60
	  # BRPOP and subscriptions are silent for hours.
	  timeout client 24h
	  timeout server 24h
	  option clitcpka
	  option srvtcpka

	listen redis
	  bind 127.0.0.1:$PORT_REDIS_PROXY
	  server source 127.0.0.1:$PORT_REDIS$1
	  server target 127.0.0.1:$PORT_TARGET_REDIS$2
	END
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
