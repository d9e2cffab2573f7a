# PgBouncer's files. Two processes: the one that the app talks to, and a relay that keeps connections to the source ready.
# shellcheck shell=bash

relay=/run/trunkline-relay

pgbouncer_files() {
  pgbouncer_changed=no relay_changed=no
  save_original "$ini/pgbouncer.ini"
  save_original "$ini/userlist.txt"
  put pgbouncer "$ini/userlist.txt" 0640 <<<"\"trunkline_app\" \"${APP_PASSWORD//\"/\"\"}\""
  { databases "host=$relay port=$PORT_POOLER"; front; } | put pgbouncer "$ini/trunkline.source.ini" 0640
  { databases "host=/var/run/postgresql port=$PORT_TARGET_PG"; front; } | put pgbouncer "$ini/trunkline.target.ini" 0640
  { databases "host=127.0.0.1 port=$PORT_SQL"; behind; } | put relay "$ini/trunkline.relay.ini" 0640
  link_to pgbouncer "trunkline.$side.ini" "$ini/pgbouncer.ini"
}

databases() { # WHERE
  # PgBouncer's file has no quotes for an odd name; `*` takes it as the client says it.
  local name='*'
  [[ ! $DB_NAME =~ ^[A-Za-z0-9_.-]+$ ]] || name=$DB_NAME
  cat <<-END
	;; Made by Trunkline.
	[databases]
	$name = $1
	[pgbouncer]
	pool_mode = transaction
	default_pool_size = 40
	max_client_conn = 2000
	auth_file = $ini/userlist.txt
	server_lifetime = 86400
	server_idle_timeout = 0
	; The tunnel encrypts already.
	server_tls_sslmode = disable
	; Longer than any switchover, its undoing included; the app waits meanwhile.
	query_wait_timeout = 120
	ignore_startup_parameters = extra_float_digits,statement_timeout,idle_in_transaction_session_timeout,lock_timeout
	log_connections = 0
	log_disconnections = 0
	END
  # From 1.21 on prepared statements survive transaction pooling.
  if version_from 1.21; then echo "max_prepared_statements = 200"; fi
}

# What the app talks to. Its own connections lead to a socket on this host, and cost a millisecond.
front() {
  cat <<-END
	listen_addr = 127.0.0.1
	listen_port = $PORT_POOLER
	unix_socket_dir = /var/run/postgresql
	logfile = /var/log/postgresql/pgbouncer.log
	pidfile = /var/run/postgresql/pgbouncer.pid
	auth_type = scram-sha-256
	; The default of 15 s would make one failed login a stall of 15 s.
	server_login_retry = 0.1
	END
}

# The relay. A login over the tunnel costs five round trips, and PgBouncer makes one at a time: after a switch back to the
# source the last of forty waiting clients would get theirs seconds later. Only the system user postgres reaches its socket.
behind() {
  cat <<-END
	listen_addr =
	listen_port = $PORT_POOLER
	unix_socket_dir = $relay
	pidfile = $relay/pid
	auth_type = trust
	min_pool_size = 20
	server_login_retry = 0.2
	END
}

relay_unit() {
  put relay /etc/systemd/system/trunkline-relay.service 0644 root:root <<-END
	[Unit]
	Description=Trunkline: keeps connections to the source's Postgres ready
	After=network.target
	StartLimitIntervalSec=0

	[Service]
	Type=notify
	User=postgres
	RuntimeDirectory=${relay#/run/}
	RuntimeDirectoryMode=0700
	ExecStart=/usr/sbin/pgbouncer $ini/trunkline.relay.ini
	ExecReload=/bin/kill -HUP \$MAINPID
	KillSignal=SIGINT
	Restart=always
	RestartSec=100ms
	LimitNOFILE=65536

	[Install]
	WantedBy=multi-user.target
	END
  [[ $relay_changed == no ]] || systemctl daemon-reload
  start_unit_now trunkline-relay "$relay_changed"
}

version_from() { printf '%s\n' "$1" "$(pgbouncer --version | sed -n 's/^PgBouncer //p')" | sort -CV; }
