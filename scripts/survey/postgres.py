"""Postgres, read through psql as its own superuser, in a session that could not write if it wanted to."""

import json
import os
import subprocess
import time

import mastodon_env
import pooled
import psql
from probe import Unreadable, await_units, look, note, note_start, read, run, unit_of

SETTINGS = """wal_level max_wal_senders max_replication_slots max_connections max_worker_processes max_prepared_transactions
superuser_reserved_connections reserved_connections
max_locks_per_transaction wal_keep_size max_slot_wal_keep_size shared_buffers archive_mode archive_command
synchronous_standby_names data_checksums listen_addresses hba_file ssl password_encryption""".split()

# One look each, as one JSON value; in recovery some functions must not be called, and CASE sees to that.
LOOKS = {
    "version": "to_json(current_setting('server_version'))",
    "standby_role": "to_json(pg_is_in_recovery())",
    "dataDir": "to_json(current_setting('data_directory'))",
    "systemId": "to_json((SELECT system_identifier::text FROM pg_control_system()))",
    "clusterBytes": "to_json((SELECT sum(pg_database_size(oid))::bigint FROM pg_database))",
    "settings": "(SELECT json_object_agg(name, current_setting(name)) FROM pg_settings WHERE name = ANY (:names))",
    "slots": """(SELECT json_agg(json_build_object('name', slot_name, 'type', slot_type, 'active', active,
        'walStatus', to_jsonb(s) ->> 'wal_status')) FROM pg_replication_slots s)""",
    "walsenders": """(SELECT json_agg(json_build_object('application', application_name, 'user', usename, 'state', state,
        'client', host(client_addr), 'lagBytes', pg_wal_lsn_diff(:lsn, replay_lsn)::bigint)) FROM pg_stat_replication)""",
    "archiver": """(SELECT json_build_object('failed', failed_count, 'archived', archived_count,
        'lastFailedMs', (extract(epoch FROM last_failed_time) * 1000)::bigint,
        'lastArchivedMs', (extract(epoch FROM last_archived_time) * 1000)::bigint) FROM pg_stat_archiver)""",
    "prepared": "to_json((SELECT count(*) FROM pg_prepared_xacts))",
    "longTransactions": """(SELECT json_agg(json_build_object('pid', pid, 'seconds', extract(epoch FROM now() - xact_start)::int,
        'application', application_name, 'user', usename)) FROM pg_stat_activity
        WHERE xact_start < now() - interval '60 s' AND backend_type = 'client backend')""",
    "tablespaces": """(SELECT json_agg(json_build_object('name', spcname, 'location', pg_tablespace_location(oid)))
        FROM pg_tablespace WHERE spcname !~ '^pg_')""",
    "connections": "to_json((SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'))",
    "others": """(SELECT json_agg(datname ORDER BY datname) FROM pg_database
        WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres')""",
    "roles": "(SELECT json_agg(rolname) FROM pg_roles WHERE rolname ~ '^trunkline_')",
    "hba": "to_json((SELECT bool_or(array_to_string(user_name, ',') ~ 'trunkline_') FROM pg_hba_file_rules))",
    "lsn": "to_json((:lsn)::text)",
    "checkpointed": "to_json((SELECT pg_wal_lsn_diff(:lsn, redo_lsn)::bigint FROM pg_control_checkpoint()))",
    "receiver": """(SELECT json_build_object('streaming', status = 'streaming', 'senderHost', sender_host,
        'senderPort', sender_port) FROM pg_stat_wal_receiver)""",
    "replayLag": """to_json(CASE WHEN pg_is_in_recovery()
        THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint END)""",
}
DATABASE_LOOKS = {
    "database": """(SELECT json_build_object('name', datname, 'bytes', pg_database_size(oid), 'owner', pg_get_userbyid(datdba),
        'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
        'collationVersion', to_jsonb(d) ->> 'datcollversion') FROM pg_database d WHERE datname = current_database())""",
    "actualCollation": """to_json(CASE WHEN current_setting('server_version_num')::int >= 150000
        THEN (xpath('/row/v/text()', query_to_xml('SELECT pg_database_collation_actual_version(oid) AS v FROM pg_database
        WHERE datname = current_database()', true, true, '')))[1]::text END)""",
    "unlogged": """(SELECT json_agg(relnamespace::regnamespace || '.' || relname) FROM pg_class
        WHERE relpersistence = 'u' AND relkind IN ('r', 'm', 'p'))""",
    "extensions": "(SELECT json_agg(extname) FROM pg_extension)",
    "otp": """(xpath('/row/n/text()', query_to_xml(CASE WHEN EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users'
        AND column_name = 'otp_secret') THEN 'SELECT count(otp_secret) AS n FROM users' ELSE 'SELECT 0 AS n' END, true, true, '')))[1]::text::json""",
    "keypairs": """(xpath('/row/n/text()', query_to_xml(CASE WHEN to_regclass('keypairs') IS NOT NULL
        THEN 'SELECT count(private_key) AS n FROM keypairs' ELSE 'SELECT 0 AS n' END, true, true, '')))[1]::text::json""",
}
# Whoever else is connected to the database: the switchover waits until there is nobody but the app.
CLIENTS = """(SELECT json_agg(DISTINCT jsonb_build_object('user', usename, 'application', application_name, 'client',
    host(client_addr))) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()
    AND usename <> '%s' AND usename !~ '^trunkline_' AND application_name !~ '^(trunkline|psql$)')"""
LSN = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"


def clusters():
    """Debian's clusters; one made by hand is looked for at the port that Mastodon uses."""
    try:
        shown = run(["pg_lsclusters", "--no-header"])
    except Unreadable:
        return []
    rows = [line.split(None, 6) for line in shown.splitlines()]
    return [
        {"cluster": "%s/%s" % (r[0], r[1]), "major": int(r[0].split(".")[0]), "port": int(r[2]),
         "online": r[3].startswith("online"), "dataDir": r[5]}
        for r in rows if len(r) >= 6
    ]  # fmt: skip


def choose(settings, where):
    """The cluster that holds (source) or will hold (target) Mastodon's database."""
    found = clusters()
    by_port = [c for c in found if c["port"] == where["port"]]
    if settings["side"] == "source" and by_port:
        return by_port[0]
    online = [c for c in found if c["online"]]
    if settings["side"] == "source" and len(online) > 1:
        online.sort(key=lambda c: not look("cluster " + c["cluster"], holds, psql.here(c["port"]), where["name"], default=False))
    if online or found:
        return (online or found)[0]
    return {"cluster": None, "major": 0, "port": where["port"], "online": True, "dataDir": ""}


def holds(server, database):
    known = "to_json((SELECT count(*) FROM pg_database WHERE datname = '%s') > 0)" % database.replace("'", "''")
    return ask(server, "postgres", {"known": known})["known"]


def ask(server, database, looks):
    """Answers to all looks, in one session; a look that fails is missing from it. `server`: psql's command without a database."""
    names = "ARRAY[%s]" % ",".join("'%s'" % n for n in SETTINGS)
    lines = ["SET default_transaction_read_only = on;", "SET statement_timeout = '3s';"]
    for name, expression in looks.items():
        # Not str.format: a look may hold any character. The answer is on one line, whatever is in it.
        expression = expression.replace(":lsn", LSN).replace(":names", names)
        lines.append("SELECT '%s ' || coalesce(%s, 'null')::jsonb::text;" % (name, expression))
    done = subprocess.run(
        [*server, "-d", database], input="\n".join(lines), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
        timeout=15, cwd="/", env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "3"},
    )  # fmt: skip
    answers = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    if not answers:
        raise Unreadable((done.stderr.strip().splitlines() or ["psql said nothing"])[0])
    for name in looks:
        if name not in answers:
            note("postgres: " + name, next((e for e in done.stderr.splitlines() if "ERROR" in e), "no answer"))
    return {name: json.loads(value) for name, value in answers.items()}


def postgres(settings, env, contained=None):
    """`contained`: psql's command in a container that the database runs in; this host's own clusters are none of the app's then."""
    where = mastodon_env.database(env)
    if contained:
        chosen = {"cluster": None, "major": 0, "port": where["port"], "online": True, "dataDir": ""}
    else:
        pooler = look("PgBouncer's databases", pooled.behind, where) if settings["side"] == "source" else None
        where = pooler or where
        chosen = choose(settings, where)
    server = contained or psql.here(chosen["port"])
    if chosen["cluster"] is None and settings["side"] == "target":
        return None
    answer = {**empty(), **{k: chosen[k] for k in ("major", "port", "cluster", "dataDir")}, "role": "down"}
    try:
        seen = ask(server, "postgres", LOOKS)
    except (Unreadable, subprocess.TimeoutExpired, OSError) as why:
        if chosen["online"]:
            note("postgres", why)
        if not contained:
            look("whether Postgres is starting", note_if_starting, chosen)
        return {**answer, "standbySignal": signal_in(chosen["dataDir"])}
    began = time.monotonic()
    role = "standby" if seen["standby_role"] else "primary"
    looks = {**DATABASE_LOOKS, "clients": CLIENTS % where["user"].replace("'", "''")}
    inside = look("database " + where["name"], ask, server, where["name"], looks, default={})
    answer.update(
        version=seen["version"].split()[0], major=int(seen["version"].split(".")[0].split()[0]),
        role=role, **folder_of(seen, contained),
        database=database_of(inside, where), clients=inside.get("clients") or [],
        unlogged=inside.get("unlogged") or [], extensions=inside.get("extensions") or [],
        standby=standby_of(seen), walSinceCheckpointBytes=seen.get("checkpointed"),
        # It takes a second, and tells something only of a database that is about to move.
        walBytesPerSecond=look("rate of WAL", wal_rate, server, seen.get("lsn"), began) if role in settings.get("walRateOf", (role,)) else None,
        unit=None if contained else look("Postgres' unit", unit_of_cluster, seen["dataDir"]),
        encryptedRows=sum(filter(None, (inside.get("otp"), inside.get("keypairs")))) if inside else None,
        roles=seen.get("roles") or [], hba=bool(seen.get("hba")),
    )  # fmt: skip
    for name in ("slots", "walsenders", "longTransactions", "tablespaces"):
        answer[name] = seen.get(name) or []
    for name in ("systemId", "clusterBytes", "archiver", "connections"):
        answer[name] = seen.get(name)
    answer.update(prepared=seen.get("prepared") or 0, settings=seen.get("settings") or {})
    answer["otherDatabases"] = [name for name in seen.get("others") or [] if name != where["name"]]
    return answer


def unit_of_cluster(data):
    return unit_of(int(read(os.path.join(data, "postmaster.pid")).splitlines()[0]))


def note_if_starting(chosen):
    what = "Postgres %s" % (chosen["cluster"] or "on port %d" % chosen["port"])
    # 1: it is there, and takes nobody in yet. The message would say so too, in the server's own language.
    if subprocess.run(["pg_isready", "-q", "-p", str(chosen["port"])]).returncode == 1:
        note_start(what)
    elif chosen["cluster"]:
        await_units(what, ["postgresql@%s.service" % chosen["cluster"].replace("/", "-")])


def empty():
    return {
        "major": 0, "version": "", "port": 0, "unit": None, "cluster": None, "dataDir": "", "role": "down", "standbySignal": False,
        "systemId": None, "database": None, "clusterBytes": None, "settings": {}, "slots": [], "walsenders": [], "archiver": None,
        "clients": [], "unlogged": [], "prepared": 0, "longTransactions": [], "tablespaces": [], "extensions": [], "walBytesPerSecond": None,
        "walSinceCheckpointBytes": None, "standby": None, "encryptedRows": None, "roles": [], "hba": False, "otherDatabases": [], "connections": None,
    }  # fmt: skip


def folder_of(seen, contained):
    """The data folder, as a path of this host's: of one in a container nothing is known."""
    data = "" if contained else seen["dataDir"]
    return {"dataDir": data, "standbySignal": signal_in(data)}


def signal_in(data):
    return bool(data) and os.path.exists(os.path.join(data, "standby.signal"))


def database_of(inside, where):
    found = inside.get("database")
    if not found:
        return None
    return {**found, "user": where["user"], "actualCollationVersion": inside.get("actualCollation")}


def standby_of(seen):
    if not seen["standby_role"]:
        return None
    receiver = seen.get("receiver") or {"streaming": False, "senderHost": None, "senderPort": None}
    return {**receiver, "replayLagBytes": seen.get("replayLag")}


def wal_rate(server, first, began):
    """Bytes a second between the first look and one at least a second later."""
    time.sleep(max(0, 1 - (time.monotonic() - began)))
    second = ask(server, "postgres", {"lsn": LOOKS["lsn"]})["lsn"]
    return max(0, round((number(second) - number(first)) / (time.monotonic() - began)))


def number(lsn):
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
