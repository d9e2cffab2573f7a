# Gates look and say why not; they change nothing.
# shellcheck shell=bash

refusals=()

# refuse EXPECTED FOUND REMEDY
refuse() {
  refusals+=("{\"expected\":$(json_string "$1"),\"found\":$(json_string "$2"),\"remedy\":$(json_string "$3")${passing:+,\"passing\":true}}")
}

# The same of what may come by itself, as after a boot: whoever asks will ask again for a while.
refuse_yet() { local passing=yes; refuse "$@"; }

# comes UNIT: whether it is about to start, or to stop for a reboot.
comes() { [[ $(unit_property "$1" ActiveState) =~ ^(activating|deactivating|reloading)$ || $(unit_property "$1" Job) =~ ^[1-9] ]]; }

# check_running UNIT…. An earlier phase would start them, but it would also take the app back to the source.
check_running() {
  local unit say
  for unit; do
    say=refuse
    ! comes "$unit" || say=refuse_yet
    systemctl is-active --quiet "$unit" || "$say" "$unit to run on this host" "$(systemctl is-active "$unit" || true)" "look at \`journalctl -u $unit\` on this host, and start it there: \`systemctl start $unit\`"
  done
}

verdict() {
  local IFS=,
  result_json refusals "[${refusals[*]}]"
}

# value SQL: one value from the target's own Postgres, or empty when it does not answer.
value() { psql_local -c "$1" 2>/dev/null || true; }

# The standby of another database looks like any other; its system identifier tells. Where one can't be read the rest decides.
check_system() {
  local identifier="SELECT system_identifier FROM pg_control_system()" ours theirs
  ours="$(runuser -u postgres -- psql -XAtq -p "$PORT_TARGET_PG" -d postgres -c "$identifier" 2>/dev/null || true)"
  theirs="$(PGPASSFILE="$etc/app.pgpass" psql -XAtq "host=127.0.0.1 port=$PORT_SQL user=trunkline_app dbname='${DB_NAME//\'/\\\'}' connect_timeout=5" -c "$identifier" 2>/dev/null || true)"
  [[ -z $ours || -z $theirs || $ours == "$theirs" ]] ||
    refuse "a standby of the source's database, whose system identifier is $theirs" "$ours, which is another database" "put the right data directory back on this host, or go back to phase prepare and come again"
}

# Postgres of this host is there and takes nobody in yet, or is about to come.
database_comes() {
  local status=0
  runuser -u postgres -- pg_isready -q -p "$PORT_TARGET_PG" || status=$?
  ((status == 1)) || comes "postgresql@$PG_MAJOR-main.service"
}

check_standby() {
  local role lag most=${BEHIND_SECONDS:-300}
  check_system
  role="$(value 'SELECT pg_is_in_recovery()')"
  if [[ -z $role ]] && database_comes; then
    refuse_yet "Postgres on this host to answer" "that it is starting" "see its log: after a power cut it may have much to read again"
    return
  elif [[ -z $role ]]; then
    # A standby that died, of a full disk for instance: the switchover starts it again before it does anything else.
    [[ $step == gate/switch && -e "$(pg_conftool --short "$PG_MAJOR" main show data_directory)/standby.signal" ]] ||
      refuse "a standby of the source on this host" "no answer from Postgres" "start it with \`systemctl start postgresql@$PG_MAJOR-main\` on this host; if it does not stay, its log says why"
    return
  fi
  [[ $role == t ]] || { refuse "a standby of the source on this host" "a primary" "run \`pulumi up\` with phase replicate"; return; }
  [[ $(value 'SELECT count(*) FROM pg_stat_wal_receiver WHERE status = '"'streaming'") == 1 ]] ||
    refuse_yet "the standby to be streaming" "it is not" "look at \`journalctl -u trunkline-tunnel@wal\` on this host"
  # Where nobody writes, the last transaction is old, and nothing is missing all the same.
  lag="$(value "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp())::int, 0) END")"
  [[ ${lag:-0} -lt $most ]] || refuse_yet "the standby to be at most $most s behind" "$lag s" "wait until it has caught up"
}

check_redis() {
  [[ ${CARRY_REDIS:-yes} == yes ]] || return 0
  local link
  link="$(python3 "$scripts/gate/redis_link.py" "$PORT_TARGET_REDIS" "$state/source.env" 2>&1 || true)"
  [[ $link == up ]] || refuse_yet "the Redis replica's link to be up" "$link" "look at \`journalctl -u trunkline-tunnel@redis\` on this host"
}

check_space() {
  local free
  free="$(df --output=avail -B1 /var/lib/postgresql | tail -n 1)"
  ((free > 512 * 1024 * 1024)) || refuse "512 MiB of free space for the database" "$((free / 1024 / 1024)) MiB" "free some space on this host"
}
