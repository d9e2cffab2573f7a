# database/publish (source): lets the target read and follow this Postgres: two roles, a slot with a limit, two lines in
# pg_hba.conf, and amcheck, which proves the indexes on the target. Nothing of it needs a restart.
# shellcheck shell=bash
# Extra settings: REPL_PASSWORD APP_PASSWORD SLOT_KEEP_MB

. "$scripts/database/shared.sh"
settings_saved=$state/saved/postgresql.settings
# Everything that a migration ever sets on the source with ALTER SYSTEM, here or in the switchover.
settings=(max_slot_wal_keep_size primary_conninfo primary_slot_name wal_retrieve_retry_interval max_standby_streaming_delay)

present() {
  local role
  role="$(psql_local -c 'SELECT pg_is_in_recovery()')" ||
    die "Postgres on port $PG_PORT to let the system user postgres in, as superuser" "the message above" \
      "start it, and keep a line \`local all postgres peer\` at the top of its pg_hba.conf"
  # The data live on the target: this is its standby, and everything here has been made.
  [[ $role == f ]] || { result role standby; return 0; }
  check_levels
  save_settings
  write_passfile
  python3 "$scripts/database/roles.py" "$DB_USER" <<<"$REPL_PASSWORD"$'\n'"$APP_PASSWORD" | as_superuser
  admit
  limit_slots
  keep_slot
  amcheck
  result role primary slot trunkline_target
}

absent() {
  local running=no
  psql_local -c 'SELECT 1' >/dev/null 2>&1 && running=yes
  withdraw
  if [[ $running == yes && "$(psql_local -c 'SELECT NOT pg_is_in_recovery()')" == t ]]; then
    drop_slot
    drop_roles
    drop_amcheck
  fi
  [[ $running == no ]] || restore_settings
  drop_file "$(passfile)"
}

# SQL on stdin, which says `changed` if it changed something. Nothing of it may stand in the server's log.
as_superuser() {
  local said
  said="$(PGOPTIONS='-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic' psql_local "$@" -f -)"
  [[ $said != *changed* ]] || changed=yes
}

check_levels() {
  local level senders
  level="$(psql_local -c 'SHOW wal_level')"
  [[ $level != minimal ]] ||
    die "wal_level replica or logical" "minimal" "set wal_level = replica on the source and restart its Postgres, at a quiet time"
  senders="$(psql_local -c "SELECT current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication WHERE application_name NOT LIKE 'trunkline%' AND application_name <> 'pg_basebackup')")"
  ((senders >= 2)) ||
    die "two free walsenders" "$senders" "raise max_wal_senders on the source and restart its Postgres, at a quiet time"
}

# Remembers, once, what ALTER SYSTEM had set before us.
save_settings() {
  [[ -e $settings_saved ]] && return
  local name
  for name in "${settings[@]}"; do
    psql_local -v name="$name" <<<"SELECT 'ALTER SYSTEM ' || coalesce((SELECT format('SET %s = %L', name, setting) FROM pg_file_settings
      WHERE name = :'name' AND sourcefile LIKE '%postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1), 'RESET $name') || ';'"
  done >"$settings_saved.part"
  mv -T "$settings_saved.part" "$settings_saved"
}

restore_settings() {
  [[ -e $settings_saved ]] || return 0
  psql_local <"$settings_saved"
  psql_local -c 'SELECT pg_reload_conf()' >/dev/null
  rm -f "$settings_saved"
  changed=yes
}

limit_slots() {
  [[ "$(psql_local -c "SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'")" != "$SLOT_KEEP_MB" ]] || return 0
  psql_local -c "ALTER SYSTEM SET max_slot_wal_keep_size = '${SLOT_KEEP_MB}MB'"
  psql_local -c 'SELECT pg_reload_conf()' >/dev/null
  changed=yes
}

admit() {
  local hba
  hba="$(psql_local -c 'SHOW hba_file')"
  save_original "$hba"
  put_block "$hba" <<-END
	host replication trunkline_repl 127.0.0.1/32 scram-sha-256
	host $(hba_name "$DB_NAME") trunkline_app 127.0.0.1/32 scram-sha-256
	END
  # Also after a run that was cut off before Postgres had read it.
  if [[ $file_changed == yes || "$(read_since "$hba")" != t ]]; then reload_hba "$hba"; fi
}

withdraw() {
  local hba
  hba="$(psql_local -c 'SHOW hba_file' 2>/dev/null)" || hba="/etc/postgresql/$PG_MAJOR/$PG_CLUSTER/pg_hba.conf"
  drop_block "$hba"
  [[ $file_changed == no ]] || psql_local -c 'SELECT pg_reload_conf()' >/dev/null 2>&1 || true
}

# A slot whose WAL is gone feeds nobody: a new one takes its place.
keep_slot() {
  as_superuser <<-'END'
	SELECT 'changed' FROM (SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
	  WHERE slot_name = 'trunkline_target' AND NOT active AND wal_status = 'lost') AS dropped;
	SELECT 'changed' FROM (SELECT pg_create_physical_replication_slot('trunkline_target', true)
	  WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'trunkline_target')) AS made;
	END
}

drop_slot() {
  wait_until 90 "the slot trunkline_target to be free" slot_free
  as_superuser <<<"SELECT 'changed' FROM (SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN ('trunkline_target', 'trunkline_source')) AS dropped"
}

slot_free() {
  local pid
  pid="$(psql_local -c "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'trunkline_target' AND active")"
  [[ -z $pid ]] || { echo "process $pid uses it"; return 1; }
}

drop_roles() {
  as_superuser -v user="$DB_USER" <<-'END'
	SET client_min_messages = error;
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('trunkline_app', 'trunkline_repl');
	SELECT 'changed' FROM pg_roles WHERE rolname IN ('trunkline_app', 'trunkline_repl');
	SELECT format('REASSIGN OWNED BY trunkline_app TO %I; DROP OWNED BY trunkline_app', :'user')
	  FROM pg_roles WHERE rolname = 'trunkline_app' \gexec
	DROP ROLE IF EXISTS trunkline_app;
	DROP ROLE IF EXISTS trunkline_repl;
	END
}

amcheck() {
  [[ -z "$(psql_local -c "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'")" ]] || return 0
  psql_local -c 'CREATE EXTENSION amcheck' ||
    die "the extension amcheck" "the message above" "install postgresql-contrib of major $PG_MAJOR on the source (Debian's server package has it)"
  touch "$state/made-amcheck"
  changed=yes
}

drop_amcheck() {
  [[ -e $state/made-amcheck ]] || return 0
  psql_local -c 'DROP EXTENSION IF EXISTS amcheck'
  rm -f "$state/made-amcheck"
  changed=yes
}
