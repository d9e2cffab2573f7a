# The standby's settings: what it needs to follow, and how the source's admin had tuned theirs.
# shellcheck shell=bash

# Recovery stops where these are lower than on the primary; the way back needs the same in the other direction.
equal=(max_connections max_worker_processes max_wal_senders max_prepared_transactions max_locks_per_transaction)
# Tuned by admins, and safe on any server. The rest (paths, addresses, archiving, TLS) belongs to a host.
tuned=(
  work_mem maintenance_work_mem effective_cache_size random_page_cost seq_page_cost effective_io_concurrency
  max_wal_size min_wal_size checkpoint_timeout checkpoint_completion_target wal_buffers wal_compression synchronous_commit
  default_statistics_target max_parallel_workers max_parallel_workers_per_gather max_parallel_maintenance_workers
  autovacuum autovacuum_max_workers autovacuum_naptime autovacuum_vacuum_cost_limit autovacuum_vacuum_cost_delay
  autovacuum_vacuum_scale_factor autovacuum_analyze_scale_factor autovacuum_vacuum_threshold autovacuum_analyze_threshold
  statement_timeout idle_in_transaction_session_timeout lock_timeout jit wal_level
  timezone datestyle default_text_search_config lc_messages lc_monetary lc_numeric lc_time
)

# Prints conf.d/trunkline.conf. Once this host is the primary, the source's values are those that were carried then.
tune() {
  local kept=$state/postgresql.tuned
  if [[ ! -s $kept ]] || ! holds_ours; then
    carried >"$kept.part"
    mv -T "$kept.part" "$kept"
  fi
  cat <<-END
	# Made by Trunkline.
	port = $PORT_TARGET_PG
	hot_standby = on
	primary_conninfo = 'host=127.0.0.1 port=$PORT_WAL user=trunkline_repl sslmode=disable passfile=$(passfile) application_name=trunkline_target'
	primary_slot_name = 'trunkline_target'
	recovery_target_timeline = 'latest'
	# At its default of 5 s a promotion can take 5 s.
	wal_retrieve_retry_interval = 50ms
	# What is read here before the switch (every row with a file, every index) may take long; replay waits for it, and for nobody else.
	max_standby_streaming_delay = -1
	# On from the start, since it needs a restart; no command runs before the promotion, and then this one keeps nothing up.
	archive_mode = on
	archive_command = '/bin/true'
	END
  cat "$kept"
}

# What the source runs with, as lines of configuration.
carried() {
  local name value
  for name in "${equal[@]}" "${tuned[@]}"; do
    value="$(source_says -c "SHOW $name" 2>/dev/null)" || continue # not known to this major version
    if [[ $name == lc_* ]] && ! locale_there "$value"; then continue; fi
    printf "%s = '%s'\n" "$name" "${value//\'/\'\'}"
  done
  printf "shared_buffers = '%s'\n" "$(buffers)"
  printf "max_slot_wal_keep_size = '%sMB'\n" "$(slot_limit)"
  printf "shared_preload_libraries = '%s'\n" "$(libraries)"
}

# The source's, but no more than 40 % of this host's memory.
buffers() {
  local wanted most
  wanted="$(megabytes "$(source_says -c 'SHOW shared_buffers')")"
  most="$(awk '/^MemTotal:/ { print int($2 / 1024 * 0.4) }' /proc/meminfo)"
  echo "$((wanted < most ? wanted : most))MB"
}

megabytes() {
  case $1 in
    *kB) echo $((${1%kB} / 1024 + 1)) ;;
    *MB) echo "${1%MB}" ;;
    *GB) echo $((${1%GB} * 1024)) ;;
    *TB) echo $((${1%TB} * 1024 * 1024)) ;;
    *) echo 128 ;;
  esac
}

# WAL that may be kept for the old server: half of what is free. Beyond it the way back is lost, not the service.
slot_limit() {
  local free
  free="$(df --output=avail -BM "$(dirname "$data")" | tail -n 1 | tr -dc 0-9)"
  echo "$((free / 2 > 1024 ? free / 2 : 1024))"
}

# Preloaded libraries that this host has too; a missing one would keep Postgres from starting.
libraries() {
  local name found=()
  for name in $(source_says -c 'SHOW shared_preload_libraries' | tr ',' ' ' | tr -d "\"'"); do
    [[ -e $(dirname "$bin")/lib/$name.so ]] && found+=("$name")
  done
  local IFS=,
  echo "${found[*]}"
}

locale_there() { LC_ALL="$1" locale 2>&1 >/dev/null | grep -q . && return 1 || return 0; }
