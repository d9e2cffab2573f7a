# The settings of switchover.py, in a file that only root reads. Sourced by run and check.
# shellcheck shell=bash

controller=(/usr/bin/python3 -B "$scripts/switchover/switchover.py" "$etc/switchover.json")

write_config() {
  cat <<-END | put_file "$etc/switchover.json" 0600 root:root
	{
	  "deadlineMs": ${DEADLINE_MS:-5000},
	  "drainSeconds": ${DRAIN_SECONDS:-120},
	  "carryRedis": $([[ ${CARRY_REDIS:-yes} == no ]] && echo false || echo true),
	  "journal": "$state/switchover.jsonl",
	  "result": "$state/switchover.result.json",
	  "progress": "$run/switchover.progress",
	  "lock": "$run/switchover.mutex",
	  "agent": {"port": $PORT_CONTROL, "token": $(json_string "$AGENT_TOKEN")},
	  "postgres": {
	    "name": "target",
	    "port": $PORT_TARGET_PG,
	    "data": $(json_string "$(pg_conftool --short "$PG_MAJOR" main show data_directory)"),
	    "bin": "/usr/lib/postgresql/$PG_MAJOR/bin",
	    "unit": "postgresql@$PG_MAJOR-main.service",
	    "database": $(json_string "$DB_NAME"),
	    "followPort": $PORT_WAL,
	    "followPassfile": $(json_string "$(getent passwd postgres | cut -d: -f6)/.trunkline.pgpass")
	  },
	  "pooler": {
	    "socketDir": "/var/run/postgresql",
	    "relayDir": "/run/trunkline-relay",
	    "port": $PORT_POOLER,
	    "link": "/etc/pgbouncer/pgbouncer.ini",
	    "database": $(json_string "$DB_NAME"),
	    "user": "trunkline_app",
	    "password": $(json_string "$APP_PASSWORD")
	  },
	  "proxy": {"admin": "$REDIS_PROXY_ADMIN", "link": "/etc/haproxy/haproxy.cfg"},
	  "redis": {
	    "source": {"port": $PORT_REDIS, "followPort": $PORT_BACK_REDIS},
	    "target": {"port": $PORT_TARGET_REDIS, "followPort": $PORT_REDIS},
	    "proxyPort": $PORT_REDIS_PROXY,
	    "login": $(python3 "$scripts/redis/access.py" "$state/source.env")
	  },
	  "sidekiqUnits": [$(json_list "$SIDEKIQ_UNITS")]
	}
	END
}

json_list() {
  local word words=()
  for word in $1; do words+=("$(json_string "$word")"); done
  local IFS=,
  echo "${words[*]}"
}
