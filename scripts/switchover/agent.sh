# switchover/agent (source): a small service on the loopback that governs this Postgres for the switchover, so that no
# ssh has to be started within the pause. It acts for whoever knows the token.
# shellcheck shell=bash
# Extra settings: AGENT_TOKEN

redis_conf=/etc/redis/redis.conf

present() {
  local unit
  unit="$(postgres_unit)"
  # The switchover makes this Redis a replica and has it write that down; going back restores the file.
  [[ ! -f $redis_conf ]] || save_original "$redis_conf"
  agent_settings "$unit" | put_file "$etc/agent.json" 0600 root:root
  local settings_changed=$file_changed
  keep_unit agent <<-END
	[Unit]
	Description=Trunkline agent: governs Postgres for the switchover
	After=network.target $unit
	StartLimitIntervalSec=0

	[Service]
	# Of its code: $(cat "$scripts"/switchover/*.py "$scripts/lib/resp.py" | sha256sum | cut -c1-32)
	ExecStart=/usr/bin/python3 -B $scripts/switchover/agent.py $etc/agent.json
	Restart=always
	RestartSec=500ms
	# It starts Postgres again, which must not end with it.
	KillMode=process
	OOMScoreAdjust=-900
	Nice=-10

	[Install]
	WantedBy=multi-user.target
	END
  [[ $settings_changed == no ]] || systemctl restart trunkline-agent
  wait_until 20 "the agent to answer on 127.0.0.1:$PORT_AGENT" agent_answers
}

absent() {
  drop_unit agent
  drop_file "$etc/agent.json" "$state/agent.journal"
  is_saved "$redis_conf" || return 0
  # The link to a target that goes away stays configured nowhere.
  if [[ "$(sed -n 's/^replicaof .*/replica/p' "$redis_conf")" != replica ]]; then restore_original "$redis_conf"; fi
}

# The unit that runs this Postgres, as systemd sees it; on Debian postgresql@15-main.service.
postgres_unit() {
  local pid unit=''
  pid="$(head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null || true)"
  [[ -z $pid ]] || unit="$(sed -n 's/.*\/\([^/]*\.service\)$/\1/p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1)"
  echo "${unit:-postgresql@$PG_MAJOR-$PG_CLUSTER.service}"
}

agent_settings() {
  cat <<-END
	{
	  "port": $PORT_AGENT,
	  "token": $(json_string "$AGENT_TOKEN"),
	  "journal": "$state/agent.journal",
	  "reversePorts": [$PORT_BACK_PG, $PORT_BACK_REDIS],
	  "postgres": {
	    "name": "source",
	    "port": $PG_PORT,
	    "data": $(json_string "$PG_DATA"),
	    "bin": $(json_string "$(postgres_bin)"),
	    "unit": $(json_string "$1"),
	    "database": $(json_string "$DB_NAME"),
	    "followPort": $PORT_BACK_PG,
	    "followPassfile": $(json_string "$(getent passwd postgres | cut -d: -f6)/.trunkline.pgpass")
	  }
	}
	END
}

postgres_bin() {
  local folder
  for folder in "/usr/lib/postgresql/$PG_MAJOR/bin" "/usr/pgsql-$PG_MAJOR/bin" "$(dirname "$(realpath "$(command -v pg_controldata || echo /usr/bin/pg_controldata)")")"; do
    [[ -x $folder/pg_controldata ]] && { echo "$folder"; return; }
  done
  die "pg_controldata of Postgres $PG_MAJOR" "none" "install the server's programs on the source"
}

agent_answers() {
  local line
  exec 8<>"/dev/tcp/127.0.0.1/$PORT_AGENT" || return 1
  IFS= read -r -t 3 line <&8 || true
  exec 8>&-
  [[ $line == *'"agent"'* ]] || { unit_journal trunkline-agent.service 2; return 1; }
}
