# switchover/run (target): the data move. present: Postgres and Redis of this host are the primaries; absent: the source's
# are, again. The whole move runs here as one unit, so that a lost laptop cannot leave it half done.
# shellcheck shell=bash
# Extra settings: AGENT_TOKEN REPL_PASSWORD APP_PASSWORD DEADLINE_MS DRAIN_SECONDS CARRY_REDIS

. "$scripts/switchover/config.sh"
guard=/etc/systemd/system/trunkline-switchover.service.d/recover.conf

present() {
  move_to target forward
  figures
}

absent() {
  # Never switched, or long before it: there is nothing to take back.
  [[ -e $etc/switchover.json ]] || { not_retiring; return 0; }
  move_to source back
  figures
  drop_unit switchover-boot
  drop_file "$guard" "$etc/switchover.json"
  rmdir --ignore-fail-on-non-empty "$(dirname "$guard")"
  systemctl daemon-reload
}

# tunnel/up takes away what the way back needs before the source is retired: from there it goes on only.
not_retiring() {
  [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" != t ]] ||
    die "the data on the source, or what the way back needs ($etc/switchover.json)" "the data here, and that file gone: retire has begun" \
      "go on to it (pulumi config set phase retire)"
}

move_to() { # SIDE DIRECTION
  write_config
  if stands "$1"; then return 0; fi
  stand_guard
  rm -f "$state/switchover.result.json"
  # A run that was killed ends badly, and yet the move may be whole: its guard finished it. Where the data are decides.
  if ! (follow_unit switchover "$((DRAIN_SECONDS + 1800))" -- "${controller[@]}" "$2"); then
    stands "$1" || { explained=yes; exit 1; }
    log "switchover: it was broken off, and then finished by what guards it; nothing is left to do"
  fi
  changed=yes
  stands "$1" || die "the data on the $1, and everything in its place" "$there" "run \`pulumi up\` again"
}

# stands SIDE: whether a finished switchover to SIDE is what is there.
stands() {
  there="$("${controller[@]}" look)"
  [[ $there == *"\"at\": \"$1\""*'"complete": true'* ]]
}

# What the controller measured, as fields of this step's own result.
figures() {
  local json
  [[ -s $state/switchover.result.json ]] || return 0
  json="$(<"$state/switchover.result.json")"
  fields+=("${json:1:-1}")
}

# Whoever ends the controller, and even a reboot: what it left is finished or undone at once, and nobody stays paused.
stand_guard() {
  put_file "$guard" 0644 root:root <<-END
	[Service]
	ExecStopPost=${controller[@]} recover
	TimeoutStopSec=20min
	# For what has to outlive the controller: keep.py
	NotifyAccess=exec
	FileDescriptorStoreMax=4
	END
  put_file /etc/systemd/system/trunkline-switchover-boot.service 0644 root:root <<-END
	[Unit]
	Description=Trunkline: finishes or undoes a switchover that a reboot cut off
	After=network-online.target postgresql.service pgbouncer.service haproxy.service redis-server.service
	Wants=network-online.target
	StartLimitIntervalSec=0

	[Service]
	Type=oneshot
	Restart=on-failure
	RestartSec=5
	ExecStart=${controller[@]} recover
	TimeoutStartSec=20min

	[Install]
	WantedBy=multi-user.target
	END
  systemctl daemon-reload
  systemctl enable --quiet trunkline-switchover-boot.service
}
