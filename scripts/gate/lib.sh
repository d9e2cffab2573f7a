# Gates look and say why not; they change nothing.
# shellcheck shell=bash

refusals=()

# refuse EXPECTED FOUND REMEDY
refuse() {
  refusals+=("{\"expected\":$(json_string "$1"),\"found\":$(json_string "$2"),\"remedy\":$(json_string "$3")}")
}

verdict() {
  local IFS=,
  result_json refusals "[${refusals[*]}]"
}

# value SQL: one value from the target's own Postgres, or empty when it does not answer.
value() { psql_local -c "$1" 2>/dev/null || true; }

check_standby() {
  local role lag
  role="$(value 'SELECT pg_is_in_recovery()')"
  [[ $role == t ]] || { refuse "a standby of the source on this host" "${role:-no answer from Postgres}" "run \`pulumi up\` with phase replicate"; return; }
  [[ $(value 'SELECT count(*) FROM pg_stat_wal_receiver WHERE status = '"'streaming'") == 1 ]] ||
    refuse "the standby to be streaming" "it is not" "look at \`journalctl -u trunkline-tunnel@wal\` on this host"
  lag="$(value "SELECT coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp())::int, 0)")"
  [[ ${lag:-0} -lt 300 ]] || refuse "the standby to be at most 300 s behind" "$lag s" "wait until it has caught up"
}

check_redis() {
  [[ ${CARRY_REDIS:-yes} == yes ]] || return 0
  local link
  link="$(python3 "$scripts/gate/redis_link.py" "$PORT_TARGET_REDIS" "$state/source.env" 2>&1 || true)"
  [[ $link == up ]] || refuse "the Redis replica's link to be up" "$link" "look at \`journalctl -u trunkline-tunnel@redis\` on this host"
}

check_space() {
  local free
  free="$(df --output=avail -B1 /var/lib/postgresql | tail -n 1)"
  ((free > 512 * 1024 * 1024)) || refuse "512 MiB of free space for the database" "$((free / 1024 / 1024)) MiB" "free some space on this host"
}
