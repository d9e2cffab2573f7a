# switchover/check (target): after the data have moved. One primary each of Postgres and Redis, here; the old ones follow;
# no slot left over; no sequence behind its table; and a write through PgBouncer arrives.
# shellcheck shell=bash

. "$scripts/switchover/config.sh"
. "$scripts/lib/app.sh"
. "$scripts/app/threads.sh"

present() {
  local slots
  [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()')" == t ]] || die "this Postgres to be the primary" "a standby" "run \`pulumi up\` again"
  wait_until 60 "the old primary to follow this one" followed
  slots="$(psql_local -c "SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE slot_name LIKE 'trunkline\_%' AND slot_name <> 'trunkline_source'")"
  [[ -z $slots ]] || die "no slot but trunkline_source" "$slots" "drop it with pg_drop_replication_slot, or it keeps WAL for ever"
  sequences
  wait_until 30 "a write through PgBouncer to reach this Postgres" write_arrives
  redis_roles
  # The database is here now; the processes that run may keep their threads until their next start.
  usual_threads
  result lagBytes "$(psql_local -c "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication WHERE application_name = 'trunkline_source'")"
}

# The database is at the other end of the tunnel again, should the web processes be started anew.
absent() { more_threads; }

followed() {
  local said
  said="$(psql_local -c "SELECT r.state, s.active FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = 'trunkline_source'")"
  [[ $said == 'streaming|t' ]] || { echo "slot trunkline_source: ${said:-there is none}"; return 1; }
}

# Physical replication carries sequences; one that is behind its table means that somebody wrote around it.
sequences() {
  local behind
  behind="$(psql_local <"$scripts/switchover/sequences.sql")"
  [[ -z $behind ]] || die "every sequence at or beyond its column" "$behind" "set it with setval, and look who inserted without it"
}

write_arrives() {
  PGPASSFILE="$etc/app.pgpass" psql -XAtq -v ON_ERROR_STOP=1 "host=127.0.0.1 port=$PORT_POOLER user=trunkline_app dbname='${DB_NAME//\'/\\\'}' connect_timeout=5" \
    -c 'SELECT txid_current()' >/dev/null
}

redis_roles() {
  local said
  [[ ${CARRY_REDIS:-yes} != no ]] || return 0
  said="$(python3 "$scripts/redis/access.py" "$state/source.env" | python3 "$scripts/redis/roles.py" "$PORT_TARGET_REDIS" "$PORT_REDIS" "$PORT_REDIS_PROXY")"
  result redis "$said"
  [[ $said == 'primary here, replica in step' ]] ||
    die "Redis: the primary here, the source's in step with it" "$said" "run \`pulumi up\` again; if it stays, see Redis' log on both hosts"
}
