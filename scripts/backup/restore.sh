#!/usr/bin/env bash
# restore.sh MAJOR DATABASE PORT PROGRESS: restores the newest backup into a scratch cluster, compares it, removes it.
set -euo pipefail
major=$1 database=$2 port=$3 progress=$4
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/shared.sh"
bin=/usr/lib/postgresql/$major/bin
scratch=/var/lib/postgresql/trunkline-prove
socket=$scratch.socket
state=/var/lib/trunkline

say() { echo "$*" | tee -a "$progress"; }
live() { as_postgres psql -XAtq -v ON_ERROR_STOP=1 -p "$port" -d "$database" "$@"; }
restored() { as_postgres psql -XAtq -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -d "$database" "$@"; }

# What people would miss, where the release has it; and every table's name.
counts() {
  "$1" <<-'END'
	SELECT format('SELECT %L, count(*) FROM %s', relname, oid::regclass) FROM pg_class WHERE relkind = 'r' AND relname IN
	  ('accounts', 'users', 'statuses', 'media_attachments', 'follows', 'favourites', 'notifications', 'conversations')
	  AND relnamespace = 'public'::regnamespace ORDER BY relname \gexec
	SELECT 'tables', count(*) FROM pg_class WHERE relkind = 'r';
	END
}

clean() {
  [[ ! -f $scratch/postmaster.pid ]] || as_postgres "$bin/pg_ctl" -D "$scratch" -m immediate -s stop || true
  rm -rf "$scratch" "$socket"
}
trap clean EXIT
clean

need="$(backups | tail -n 1 | cut -d' ' -f3)" free="$(($(df --output=avail -B1 /var/lib/postgresql | tail -n 1)))"
((free > need + (1 << 30))) || { say "no space for the proof: $((need >> 20)) MiB are needed, $((free >> 20)) MiB are free below /var/lib/postgresql"; exit 1; }

install -d -m 0700 -o postgres -g postgres "$scratch" "$socket"
before="$(counts live)"
point="trunkline_$(date +%s)"
live -c "SELECT pg_create_restore_point('$point')" >/dev/null
live -c 'SELECT pg_switch_wal()' >/dev/null
after="$(counts live)"
say "waiting for the archive to have the moment $point"
as_postgres pgbackrest --stanza="$stanza" --log-level-console=error check

say "restoring"
backrest --pg1-path="$scratch" --type=name --target="$point" --target-action=promote restore
rm -f "$scratch/standby.signal"
touch "$scratch/postgresql.conf"
echo 'local all all trust' >"$scratch/pg_hba.conf"
: >"$scratch/pg_ident.conf"
chown postgres:postgres "$scratch"/{postgresql.conf,pg_hba.conf,pg_ident.conf}

say "starting the restored database"
options="-c listen_addresses='' -p $port -c unix_socket_directories=$socket -c hba_file=$scratch/pg_hba.conf -c ident_file=$scratch/pg_ident.conf"
options+=" -c archive_mode=off -c hot_standby=off -c shared_buffers=32MB -c max_wal_size=256MB -c fsync=off -c primary_conninfo='' -c primary_slot_name=''"
options+=" -c shared_preload_libraries=''"
as_postgres "$bin/pg_ctl" -D "$scratch" -s -w -t 3600 -l "$scratch/start.log" -o "$options" start ||
  { say "the restored database did not start: $(tail -n 5 "$scratch/start.log")"; exit 1; }
for _ in {1..600}; do [[ "$(restored -c 'SELECT pg_is_in_recovery()')" == f ]] && break; sleep 0.2; done

identifier() { "$1" -c 'SELECT system_identifier FROM pg_control_system()'; }
[[ "$(identifier live)" == "$(identifier restored)" ]] || { say "the backup is of another database"; exit 1; }

# People go on posting, so that each count has to lie between those just before and just after the moment.
say "comparing"
python3 - "$before" "$(counts restored)" "$after" <<'END' || exit 1
import sys
before, restored, after = (dict(line.split("|") for line in text.splitlines()) for text in sys.argv[1:])
wrong = [
    f"{name}: {restored.get(name)} rows, not {low} to {high}"
    for name in after
    for low, high in [sorted((int(before[name]), int(after[name])))]
    if not low <= int(restored.get(name, -1)) <= high
]
print("; ".join(wrong) or f"{len(after)} counts agree")
sys.exit(bool(wrong))
END
tr '\n' ' ' <<<"$(counts restored)" >"$state/backup.compared"
say "the backup restores"
