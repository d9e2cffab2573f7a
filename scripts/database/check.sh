# database/check (target): proves the copy. It streams, it is close behind, and every text index is in this host's order:
# amcheck compares neighbours with this host's libc, which finds both a change of collation and old damage.
# shellcheck shell=bash

present() {
  local role
  role="$(psql_local -c "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END")"
  if [[ $role == standby && "$(psql_local -c 'SELECT status FROM pg_stat_wal_receiver')" != streaming ]]; then
    die "the standby to stream" "it does not" "run \`pulumi up\` again; if it stays, see Postgres' log on that host"
  fi
  wait_until 60 "amcheck to arrive from the source" amcheck_there
  follow_unit database-check 86400 -- bash "$scripts/database/indexes.sh" "$PORT_TARGET_PG" "$DB_NAME" "$run/database-check.progress"
  changed=no # it only looks
  result role "$role" indexes "$(psql_local <"$scripts/database/indexes.sql" | wc -l)" lagBytes "$(lag)"
}

absent() { drop_unit database-check; }

amcheck_there() { psql_local -c "SELECT 'amcheck'::regproc" >/dev/null 2>&1 || psql_local -c "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'" | grep -q 1; }

lag() {
  psql_local -c "SELECT CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn())::bigint FROM pg_stat_wal_receiver), 0) ELSE 0 END"
}
