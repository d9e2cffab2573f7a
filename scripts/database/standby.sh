# database/standby (target): this Postgres becomes a streaming standby of the source's: base backup through the tunnel,
# then WAL through a slot. It never overwrites a database that somebody made here, and never lets go of one that is live.
# shellcheck shell=bash
# Extra settings: REPL_PASSWORD RATE_MIB

. "$scripts/database/shared.sh"
cluster=main
conf=/etc/postgresql/$PG_MAJOR/$cluster
data=/var/lib/postgresql/$PG_MAJOR/$cluster # where the cluster's own configuration says, once there is one
bin=/usr/lib/postgresql/$PG_MAJOR/bin
unit=postgresql@$PG_MAJOR-$cluster.service
pg_log=/var/log/postgresql/postgresql-$PG_MAJOR-$cluster.log
seeded=$state/seeded # there from the first base backup on
aside=.before-trunkline # what the package's empty cluster is renamed to

present() {
  cluster_there
  remember_system
  if holds_ours && promoted; then
    # The switchover promoted it: nothing here is to be done ever again.
    start_postgres
    [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()')" == t ]] || die "a primary" "something in between" "run \`pulumi up\` again"
    result role primary systemId "$system"
    return
  fi
  write_passfile
  if ! holds_ours || ! follows; then
    move_aside
    seed
  fi
  configure
  start_postgres
  wait_until 60 "the standby to stream from the source" streaming
  wait_until 600 "the standby to have replayed all but 16 MiB" caught_up
  wait_until 30 "the database $DB_NAME to open on the standby" psql_local -c 'SELECT 1'
  result role standby systemId "$system" bytes "$(psql_local -c "SELECT pg_database_size(current_database())")"
}

absent() {
  if [[ -f $data/PG_VERSION && -e $seeded ]]; then
    ! promoted ||
      die "a standby, which may be taken down" "the live primary with $DB_NAME in $data" "go back to phase shift first, so that the data return to the source"
    drop_unit base-backup
    systemctl stop "$unit"
    drop_data
    changed=yes
  fi
  drop_file "$conf/conf.d/trunkline.conf" "$(passfile)" "$state/system-id" "$state/postgresql.tuned" "$seeded"
  rm -rf "$data.incoming"
  restore_original "$conf/pg_hba.conf"
  restore_original "$conf/pg_ident.conf"
  if [[ -d $data$aside && ! -e $data ]]; then
    mv -T "$data$aside" "$data"
    systemctl restart "$unit"
    changed=yes
  fi
}

# The cluster MAJOR/main on the port that everything expects; made if the package has not made it.
cluster_there() {
  [[ -x $bin/pg_controldata ]] || die "Postgres $PG_MAJOR in $bin" "none" "host/base installs it: run \`pulumi up\` again"
  [[ -f $conf/postgresql.conf ]] || { pg_createcluster "$PG_MAJOR" "$cluster" --port "$PORT_TARGET_PG"; changed=yes; }
  data="$(pg_conftool --short "$PG_MAJOR" "$cluster" show data_directory)"
  local port
  port="$(pg_conftool --short "$PG_MAJOR" "$cluster" show port)"
  [[ $port == "$PORT_TARGET_PG" ]] ||
    die "cluster $PG_MAJOR/$cluster on port $PORT_TARGET_PG" "port $port" "another cluster took the port: move it (see pg_lsclusters), or take an empty server"
}

# The source's system identifier, asked once and kept: it tells our data from any other, also when the source is gone.
remember_system() {
  if [[ ! -s $state/system-id ]]; then
    wait_until 60 "the source's Postgres to answer trunkline_repl" identify
    identify | put_file "$state/system-id" 0600 root:root
  fi
  system="$(<"$state/system-id")"
}

source_says() {
  PGPASSWORD="$REPL_PASSWORD" psql -XAtq "host=127.0.0.1 port=$PORT_COPY user=trunkline_repl sslmode=disable replication=true connect_timeout=10" "$@"
}
identify() { source_says -c 'IDENTIFY_SYSTEM' | cut -d'|' -f1 | grep .; }

control() { "$bin/pg_controldata" "$data" 2>/dev/null | sed -n "s/^$1: *//p"; }
# Servers made from one image share a system identifier, so that alone is no proof that the data came from the source.
holds_ours() { [[ -f $data/PG_VERSION && -e $seeded && "$(control 'Database system identifier')" == "$system" ]]; }
promoted() { [[ ! -f $data/standby.signal ]]; }

# Whether this standby can still follow: it streams now, or it does within a short while of its start.
follows() {
  configure
  start_postgres
  local end=$((SECONDS + 20))
  until streaming >/dev/null 2>&1; do
    # Only lost WAL is a reason to copy everything again; a tunnel that is down is not.
    if journal_says_lost; then
      log "the source no longer has the WAL that this standby needs; it is copied anew"
      return 1
    fi
    ((SECONDS < end)) || return 0
    sleep 0.3
  done
}

journal_says_lost() {
  tail -n 40 "$pg_log" |
    grep -qE 'requested WAL segment .* has already been removed|can no longer get changes|replication slot .* does not exist|invalidated'
}

streaming() {
  local said
  said="$(psql_local -c "SELECT status FROM pg_stat_wal_receiver")"
  [[ $said == streaming ]] || { echo "the walreceiver is ${said:-not running}"; return 1; }
}

caught_up() {
  local lag
  lag="$(psql_local -c "SELECT coalesce(pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()), 0)::bigint FROM pg_stat_wal_receiver")"
  ((${lag:-999999999} < 16 << 20)) || { echo "$lag bytes behind"; return 1; }
}

# An empty cluster of the package may be moved aside; a database that somebody made may not. An old copy of ours may go.
move_aside() {
  systemctl is-active --quiet "$unit" || holds_ours || [[ ! -d $data ]] || systemctl start "$unit"
  if holds_ours; then
    systemctl stop "$unit"
    drop_data
  elif [[ -d $data ]]; then
    refuse_data
    systemctl stop "$unit"
    rm -rf "$data$aside"
    mv -T "$data" "$data$aside"
  fi
}

# Out of the way at once: deleting takes a while, and half a cluster would be neither ours nor one that starts.
drop_data() {
  rm -rf "$data.incoming"
  mv -T "$data" "$data.incoming"
  rm -rf "$data.incoming"
}

refuse_data() {
  local found
  found="$(runuser -u postgres -- psql -XAtq -p "$PORT_TARGET_PG" -d postgres -c "SELECT string_agg(datname, ', ') FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')")"
  [[ -n $found ]] ||
    found="$(runuser -u postgres -- psql -XAtq -p "$PORT_TARGET_PG" -d postgres -c "SELECT string_agg(relname, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'public'")"
  [[ -z $found ]] ||
    die "an empty Postgres in $data" "$found" "this server holds data of its own, which Trunkline never overwrites: move them away, or take an empty server"
}

seed() {
  follow_unit base-backup "${SEED_DEADLINE:-86400}" -- python3 "$scripts/database/seed.py" \
    --bin "$bin" --data "$data" --port "$PORT_COPY" --passfile "$(passfile)" --major "$PG_MAJOR" \
    --progress "$run/base-backup.progress" --rate "${RATE_MIB:-0}" --seeded "$seeded"
  [[ "$(control 'Database system identifier')" == "$system" ]] ||
    die "a copy of the source's database (system $system)" "system $(control 'Database system identifier')" "the source was replaced: delete $state/system-id and run \`pulumi up\` again"
}

# Everything that is ours stands in one file of conf.d, beside what the source's own settings were.
configure() {
  save_original "$conf/pg_hba.conf"
  save_original "$conf/pg_ident.conf"
  local before=$changed restart=no
  tune | put_file "$conf/conf.d/trunkline.conf" 0640 postgres:postgres
  restart=$file_changed
  put_block "$conf/pg_ident.conf" <<<"trunkline postgres trunkline_app"
  put_block "$conf/pg_hba.conf" <<-END
	local $(hba_name "$DB_NAME") trunkline_app peer map=trunkline
	host $(hba_name "$DB_NAME") trunkline_app 127.0.0.1/32 scram-sha-256
	host replication trunkline_repl 127.0.0.1/32 scram-sha-256
	END
  systemctl is-active --quiet "$unit" || return 0
  if [[ $restart == yes ]]; then
    systemctl restart "$unit"
  elif [[ $before != "$changed" || $file_changed == yes ]]; then
    psql_local -c 'SELECT pg_reload_conf()' >/dev/null
  fi
}

start_postgres() {
  systemctl is-enabled --quiet postgresql || systemctl enable --quiet postgresql
  systemctl is-active --quiet "$unit" && return
  systemctl start "$unit" || true
  changed=yes
  wait_until 300 "Postgres to answer on port $PORT_TARGET_PG" accepts
}

accepts() {
  runuser -u postgres -- pg_isready -q -p "$PORT_TARGET_PG" && return
  tail -n 3 "$pg_log"
  return 1
}

. "$scripts/database/tune.sh"
