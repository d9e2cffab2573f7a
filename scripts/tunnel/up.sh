# tunnel/up (target): one ssh process each for the copy, the WAL, the app's SQL, Redis and the agent, so that none waits
# behind another's bytes. systemd keeps them up for ever.
# shellcheck shell=bash
# Extra settings: TUNNEL_PRIVATE_KEY SOURCE_HOST_KEY
. "$scripts/tunnel/leave.sh"

instances=(copy wal sql redis control)
template=/etc/systemd/system/trunkline-tunnel@.service

present() {
  put_file "$etc/tunnel_key" 0600 root:root <<<"$TUNNEL_PRIVATE_KEY"
  put_file "$etc/tunnel_hosts" 0600 root:root <<<"trunkline-source $SOURCE_HOST_KEY"
  write_config
  write_template
  local name units=("${instances[@]/#/trunkline-tunnel@}")
  systemctl enable --quiet "${units[@]}"
  if [[ $changed == yes ]]; then systemctl restart "${units[@]}"; fi
  for name in "${units[@]}"; do
    # One that systemd is about to start again needs nobody to do it.
    [[ $(unit_state "$name.service") == running ]] || { systemctl start "$name"; changed=yes; }
  done
  for name in "${instances[@]}"; do wait_for_forward "$name"; done
  wait_until 60 "the ways back, $PORT_BACK_PG and $PORT_BACK_REDIS, to listen on the source" both_ways_back
  keep_to_loopback
  result tunnels "${#instances[@]}"
}

absent() {
  local name retired=no
  ! is_primary || retired=yes
  [[ $retired == no ]] || release_source
  for name in "${instances[@]}"; do
    [[ "$(systemctl is-enabled "trunkline-tunnel@$name" 2>/dev/null)" == enabled ]] || continue
    systemctl disable --quiet --now "trunkline-tunnel@$name"
    changed=yes
  done
  drop_file "$template" "$etc/tunnel.conf" "$etc/tunnel_key" "$etc/tunnel_hosts"
  [[ $retired == no ]] || leave_source
  [[ $changed == no ]] || systemctl daemon-reload
}

# Nobody can follow through a tunnel that is gone; its slot would keep WAL here until the disk is full.
release_source() {
  systemctl stop trunkline-tunnel@wal 2>/dev/null || true
  wait_until 30 "the slot trunkline_source to be free" slot_released
}

slot_released() {
  psql_local -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE slot_name = 'trunkline_source' AND NOT active" >/dev/null
  [[ -z "$(psql_local -c "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'trunkline_source'")" ]]
}

write_config() {
  {
    host copy "LocalForward 127.0.0.1:$PORT_COPY 127.0.0.1:$PG_PORT" \
      "LocalForward 127.0.0.1:$PORT_MEDIA 127.0.0.1:$PORT_SOURCE_MEDIA"
    host wal "LocalForward 127.0.0.1:$PORT_WAL 127.0.0.1:$PG_PORT" \
      "RemoteForward 127.0.0.1:$PORT_BACK_PG 127.0.0.1:$PORT_TARGET_PG"
    host sql "LocalForward 127.0.0.1:$PORT_SQL 127.0.0.1:$PG_PORT"
    host redis "LocalForward 127.0.0.1:$PORT_REDIS 127.0.0.1:$REDIS_PORT" \
      "RemoteForward 127.0.0.1:$PORT_BACK_REDIS 127.0.0.1:$PORT_TARGET_REDIS"
    host control "LocalForward 127.0.0.1:$PORT_CONTROL 127.0.0.1:$PORT_AGENT"
    cat <<-END
	Host wal sql redis control
	  IPQoS af21
	Host *
	  HostName $SOURCE_ADDRESS
	  Port $SOURCE_SSH_PORT
	  User "$SOURCE_SSH_USER"
	  HostKeyAlias trunkline-source
	  UserKnownHostsFile $etc/tunnel_hosts
	  GlobalKnownHostsFile /dev/null
	  StrictHostKeyChecking yes
	  IdentityFile $etc/tunnel_key
	  IdentitiesOnly yes
	  IdentityAgent none
	  BatchMode yes
	  Ciphers ^aes128-gcm@openssh.com
	  Compression no
	  ControlMaster no
	  ConnectTimeout 10
	  ExitOnForwardFailure yes
	  ServerAliveInterval 5
	  ServerAliveCountMax 3
	END
  } | put_file "$etc/tunnel.conf" 0600 root:root
}

host() {
  printf 'Host %s\n' "$1"
  shift
  printf '  %s\n' "$@"
}

write_template() {
  put_file "$template" 0644 root:root <<-END
	[Unit]
	Description=Trunkline tunnel to the source: %i
	After=network-online.target
	Wants=network-online.target
	StartLimitIntervalSec=0

	[Service]
	# Not -N: only with a session does sshd send small packets at once.
	ExecStart=/usr/bin/ssh -T -F $etc/tunnel.conf %i
	Restart=always
	RestartSec=1

	[Install]
	WantedBy=multi-user.target
	END
  [[ $file_changed == no ]] || systemctl daemon-reload
}

# Open is not enough: sshd takes the connection before it tries the other end.
wait_for_forward() {
  case $1 in
    copy) forward_answers "$1" "$PORT_COPY" pg_isready -q -h 127.0.0.1 -p "$PORT_COPY" ;;
    wal) forward_answers "$1" "$PORT_WAL" pg_isready -q -h 127.0.0.1 -p "$PORT_WAL" ;;
    sql) forward_answers "$1" "$PORT_SQL" pg_isready -q -h 127.0.0.1 -p "$PORT_SQL" ;;
    redis) forward_answers "$1" "$PORT_REDIS" greets "$PORT_REDIS" 'PING\r\n' '^(\+PONG|-NOAUTH|-DENIED)' ;;
    control) forward_answers "$1" "$PORT_CONTROL" greets "$PORT_CONTROL" '' '"agent": *"trunkline"' ;;
  esac
}

forward_answers() {
  local name=$1 port=$2 begun=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    # sshd answered and said no: not what a network or a boot may mend.
    ((SECONDS < begun + 15)) || ! key_refused "$name" ||
      die "sshd on $SOURCE_ADDRESS:$SOURCE_SSH_PORT to let the tunnel $name in with its key" \
        "that it refuses the key: the line trunkline-tunnel in $SOURCE_SSH_USER's authorized_keys there is gone, or holds another key" \
        "run \`pulumi up\` again, which grants the key anew. If it is refused again, see what rewrites that file (another stack, Ansible, cloud-init), and \`journalctl -u ssh\` there"
    ((SECONDS < begun + 60)) || die "the tunnel $name to answer on 127.0.0.1:$port within 60 s" \
      "$(unit_journal "trunkline-tunnel@$name.service" 2 | tr '\n' ' ')" \
      "check that sshd on $SOURCE_ADDRESS:$SOURCE_SSH_PORT is reachable from here, that its host key is the pinned one and that the key is granted there"
    sleep 0.2
  done
}

key_refused() { unit_journal "trunkline-tunnel@$1.service" 3 | grep -q 'Permission denied'; }

# Where the ways back listen on the source, one a line, as its agent sees it.
ways_back() (
  exec 8<>"/dev/tcp/127.0.0.1/$PORT_CONTROL" || exit 1
  printf '{"ask": "reverse"}\n' >&8
  { IFS= read -r -t 5 _ && IFS= read -r -t 10 line; } <&8 || exit 1
  [[ $line =~ ^\{\"reverse\":\ \"(.*)\"\}$ ]] || exit 1
  tr ' ' '\n' <<<"${BASH_REMATCH[1]}"
)

both_ways_back() {
  local found
  found="$(ways_back)" || return 1
  grep -q ":$PORT_BACK_PG\$" <<<"$found" && grep -q ":$PORT_BACK_REDIS\$" <<<"$found" && return
  echo "only ${found:-none}"
  return 1
}

# Where sshd says GatewayPorts yes it listens everywhere, whatever it is asked for and whatever the key is granted; and the
# Postgres and Redis at this end trust what comes from their loopback.
keep_to_loopback() {
  local found open
  found="$(ways_back)"
  open="$(grep -vE '^((127\.[0-9.]+|\[::1\]):|$)' <<<"$found" | tr '\n' ' ')" || true
  [[ -n $open ]] || return 0
  systemctl disable --quiet --now trunkline-tunnel@wal trunkline-tunnel@redis
  die "sshd on $SOURCE_ADDRESS to keep the tunnel's ways back on its loopback" "them open to everyone on ${open% }" \
    "set GatewayPorts no (or clientspecified) for $SOURCE_SSH_USER in sshd_config there, reload ssh and run \`pulumi up\` again; until then the tunnels wal and redis are down"
}

# greets PORT QUESTION PATTERN: the first line of whoever listens there. In a shell of its own: a peer that hangs up while it is
# asked ends the asking shell, without a word.
greets() (
  exec 8<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf '%b' "$2" >&8
  IFS= read -r -t 3 line <&8 || true
  [[ ${line:-} =~ $3 ]]
)
