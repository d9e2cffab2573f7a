import { type Case, day, onSource, onTarget, seen, there } from "./worlds";
import { now, source, target } from "../raws";

export const postgres: Case[] = [
  [
    "postgres-missing",
    "error",
    /DB_HOST is \/var\S+: ValueError: DB_PORT is not a number/,
    onSource((s) => {
      s.unread.push({ what: "postgres", why: "ValueError: DB_PORT is not a number" });
      Object.assign(s, { postgres: null });
    }),
  ],
  ["postgres-missing", "error", /DB_HOST is \/var/, onSource((s) => Object.assign(s, { postgres: null }))],
  ["postgres-down", "error", /port 5432/, onSource((s) => (s.postgres.role = "down"))],
  [
    "postgres-elsewhere",
    "error",
    /DB_HOST is 10.0.0.5/,
    onSource((s) => (s.mastodon.env.database = { ...there(s.mastodon.env.database), host: "10.0.0.5" })),
  ],
  [
    "postgres-elsewhere",
    "error",
    /DATABASE_URL names db.example/,
    onSource((s) => {
      s.mastodon.env.values["DATABASE_URL"] = "postgres://mastodon:***@db.example/mastodon";
      s.mastodon.env.database = { ...there(s.mastodon.env.database), host: "db.example" };
    }),
  ],
  [
    "database-missing",
    "error",
    /mastodon_production is not in 15.main on port 5432/,
    onSource((s) => Object.assign(s.postgres, { database: null })),
  ],
  ["postgres-listen", "error", /is empty/, onSource((s) => (s.postgres.settings["listen_addresses"] = ""))],
  [
    "other-clients",
    "warning",
    /exporter \(no name from 127.0.0.1\)/,
    onSource((s) => (s.postgres.clients = [{ user: "exporter", application: "", client: "127.0.0.1" }])),
  ],
  [
    "connections",
    "error",
    /^80 of 97 are in use \(max_connections is 100\)$/,
    onSource((s) => (s.postgres.connections = 80)),
  ],
  [
    "connections",
    "warning",
    /^60 of 95 are in use/,
    onSource((s) => {
      s.postgres.connections = 60;
      s.postgres.settings["reserved_connections"] = "2";
    }),
  ],
  [
    "database-shared",
    "error",
    /^synapse, wiki beside mastodon_production in 15.main$/,
    onSource((s) => (s.postgres.otherDatabases = ["synapse", "wiki"])),
  ],
  [
    "postgres-too-old",
    "error",
    /12.19/,
    onSource((s) => Object.assign(s.postgres, { major: 12, version: "12.19" })),
  ],
  [
    "postgres-major",
    "error",
    /source 15.8, target 17.2/,
    onTarget(
      (t) => (t.postgres = { ...there(source().postgres), major: 17, version: "17.2", database: null }),
    ),
  ],
  [
    "target-occupied",
    "error",
    /mastodon_production, 10 GiB/,
    onTarget((t) => (t.postgres = there(source().postgres))),
  ],
  [
    "collation-stale",
    "warning",
    /2.31, the system has 2.36/,
    onSource((s) => (s.postgres.database.collationVersion = "2.31")),
  ],
  [
    "collation-icu",
    "error",
    /Debian GNU\/Linux 12/,
    seen({
      source: source((s) => (s.postgres.database.provider = "i")),
      target: target((t) => (t.host.os.version = "13")),
    }),
  ],
  ["wal-level", "error", /minimal/, onSource((s) => (s.postgres.settings["wal_level"] = "minimal"))],
  [
    "wal-senders",
    "error",
    /max_wal_senders is 2/,
    onSource((s) => (s.postgres.settings["max_wal_senders"] = "2")),
  ],
  [
    "replication-slots",
    "error",
    /max_replication_slots is 0/,
    onSource((s) => (s.postgres.settings["max_replication_slots"] = "0")),
  ],
  [
    "slot-lost",
    "error",
    /lost/,
    onSource((s) =>
      s.postgres.slots.push({ name: "trunkline_target", type: "physical", active: false, walStatus: "lost" }),
    ),
  ],
  ["prepared-transactions", "error", /2 in/, onSource((s) => (s.postgres.prepared = 2))],
  [
    "other-walsender",
    "error",
    /barman \(backup from 10.0.0.9, streaming\)/,
    onSource((s) =>
      s.postgres.walsenders.push({
        application: "barman",
        user: "backup",
        state: "streaming",
        client: "10.0.0.9",
        lagBytes: 0,
      }),
    ),
  ],
  [
    "archiver",
    "error",
    /7 failures, the last at 2026-11-21/,
    onSource(
      (s) => (s.postgres.archiver = { failed: 7, archived: 3, lastFailedMs: now, lastArchivedMs: now - day }),
    ),
  ],
  [
    "wal-archive",
    "warning",
    /^archive_mode is on, archive_command runs pgbackrest$/,
    onSource((s) =>
      Object.assign(s.postgres.settings, {
        ...{ archive_mode: "on", archive_command: "pgbackrest --stanza=main archive-push %p" },
      }),
    ),
  ],
  ["unlogged-tables", "error", /public.scratch/, onSource((s) => s.postgres.unlogged.push("public.scratch"))],
  [
    "synchronous-standby",
    "error",
    /is '\*'/,
    onSource((s) => (s.postgres.settings["synchronous_standby_names"] = "'*'")),
  ],
  [
    "tablespaces",
    "error",
    /fast at \/mnt\/ssd/,
    onSource((s) => s.postgres.tablespaces.push({ name: "fast", location: "/mnt/ssd" })),
  ],
  [
    "extensions",
    "warning",
    /^pg_repack$/,
    onSource((s) => s.postgres.extensions.push("pg_repack", "pg_stat_statements")),
  ],
  [
    "long-transactions",
    "warning",
    /pid 77 psql, 900 s/,
    onSource((s) =>
      s.postgres.longTransactions.push({ pid: 77, seconds: 900, application: "psql", user: "postgres" }),
    ),
  ],
  [
    "source-pooler",
    "note",
    /asks port 6432/,
    onSource((s) => (s.mastodon.env.database = { ...there(s.mastodon.env.database), port: 6432 })),
  ],
];
