import { type Check, error, note, risk, size, warning } from "../finding";
import { reached } from "../phase";
import { collates } from "../measure";
import type { Raw } from "../raw";

export const missing: Check = ({ source, at }) =>
  source &&
  !source.postgres &&
  !reached(at, "switch") &&
  error(
    "postgres-missing",
    "there is no Postgres on the source",
    `no server found; DB_HOST is ${source.mastodon?.env.values["DB_HOST"] ?? "not set"}${because(source)}`,
    "the database has to run on the source itself; one on another server stays where it is and is not what this migration moves",
  );

export const down: Check = ({ source, at }) =>
  source?.postgres?.role === "down" &&
  !reached(at, "switch") &&
  error(
    "postgres-down",
    "Postgres on the source does not answer",
    `port ${source.postgres.port}, ${source.postgres.dataDir}${because(source)}`,
    "start it, and let the system user postgres in as superuser (a line `local all postgres peer` at the top of its pg_hba.conf); see its log",
  );

function because(source: Raw): string {
  const why = source.unread.find((u) => u.what === "postgres")?.why;
  return why ? `: ${why}` : "";
}

export const elsewhere: Check = ({ source, at }) => {
  const host = source?.mastodon?.env.database?.host ?? "";
  return (
    !reached(at, "switch") &&
    host &&
    !/^(localhost|127\.|::1$|\/)/.test(host) &&
    ![...(source?.host.addresses.ipv4 ?? []), ...(source?.host.addresses.ipv6 ?? [])].includes(host) &&
    error(
      "postgres-elsewhere",
      "the app's database is on another server",
      `${source?.mastodon?.env.values["DATABASE_URL"] ? "DATABASE_URL names" : "DB_HOST is"} ${host}`,
      "move the database to the source first, or give its server as sourceHost if all of it runs there",
    )
  );
};

export const unknown: Check = ({ source, at }) =>
  source?.postgres &&
  source.postgres.role !== "down" &&
  !source.postgres.database &&
  !reached(at, "switch") &&
  error(
    "database-missing",
    "the app's database is not in the source's Postgres",
    `${source.mastodon?.env.database?.name ?? "?"} is not in ${source.postgres.cluster ?? "the server"} on port ${source.postgres.port}`,
    "see in which cluster it is (pg_lsclusters): a pooler other than PgBouncer in /etc/pgbouncer is not looked through; name Postgres' own port in DB_PORT for the migration",
  );

export const listens: Check = ({ source, at }) => {
  const addresses = source?.postgres?.settings["listen_addresses"];
  return (
    addresses !== undefined &&
    !reached(at, "switch") &&
    !addresses.split(/[\s,]+/).some((a) => /^(\*|0\.0\.0\.0|localhost|127\.0\.0\.1)$/.test(a)) &&
    error(
      "postgres-listen",
      "Postgres on the source does not listen where the tunnel ends",
      `listen_addresses is ${addresses || "empty"}`,
      "add localhost to it, and restart Postgres at a quiet time",
    )
  );
};

export const clients: Check = ({ source, at }) => {
  const others = source?.postgres?.clients ?? [];
  return (
    others.length > 0 &&
    !reached(at, "switch") &&
    warning(
      "other-clients",
      "others than the app are connected to its database",
      others
        .map((c) => `${c.user} (${c.application || "no name"} from ${c.client ?? "a local socket"})`)
        .join(", "),
      "stop them before the switch, which waits until nobody but the app is connected, and gives up after 30 s: they do not follow to the target by themselves",
    )
  );
};

export const shared: Check = ({ source }) => {
  const others = source?.postgres?.otherDatabases ?? [];
  return (
    others.length > 0 &&
    risk(
      "database-shared",
      "other databases are in the same Postgres cluster",
      `${others.join(", ")} beside ${source?.postgres?.database?.name ?? "the app's"} in ${source?.postgres?.cluster ?? "the server"}`,
      "the cluster moves as a whole: they become read-only here at the switch, stop at retire, and are copied to the target. Move those in use to a cluster of their own first (pg_createcluster, pg_dump, pg_restore), drop the others, or accept that",
    )
  );
};

export const tooOld: Check = ({ source }) =>
  source?.postgres &&
  source.postgres.major < 13 &&
  error(
    "postgres-too-old",
    "Postgres is too old",
    `the source has ${source.postgres.version}`,
    "upgrade to 13 or newer first: without a cap on the slot a lost target would fill the source's disk",
  );

export const major: Check = ({ source, target }) =>
  source?.postgres &&
  target?.postgres &&
  source.postgres.major !== target.postgres.major &&
  error(
    "postgres-major",
    "the servers' Postgres are of different majors",
    `source ${source.postgres.version}, target ${target.postgres.version}`,
    `remove postgresql-${target.postgres.major} from the target: the steps install ${source.postgres.major} there. Upgrade after the move, not with it`,
  );

export const occupied: Check = ({ target, source }) => {
  const database = target?.postgres?.database;
  return (
    database &&
    !target?.trunkline.paths.length &&
    !source?.trunkline.paths.length &&
    error(
      "target-occupied",
      "the target holds a database already",
      `${database.name}, ${size(database.bytes)}`,
      "take an empty server, or drop that database yourself",
    )
  );
};

export const collation: Check = ({ source }) => {
  const d = source?.postgres?.database;
  return (
    d?.collationVersion &&
    d.actualCollationVersion &&
    d.collationVersion !== d.actualCollationVersion &&
    warning(
      "collation-stale",
      "the source's own indexes on text may be out of order",
      `the database was made with collation version ${d.collationVersion}, the system has ${d.actualCollationVersion}`,
      "check them with amcheck and REINDEX what is wrong before you move; before the switch they are checked on the standby in any case",
    )
  );
};

export const icu: Check = ({ source, target }) =>
  source &&
  target &&
  collates(source) &&
  source.postgres?.database?.provider === "i" &&
  source.host.os.version !== target.host.os.version &&
  risk(
    "collation-icu",
    "the database sorts by ICU, which changes with every release",
    `source ${source.host.os.name}, target ${target.host.os.name}`,
    "take the source's release for the target",
  );

export const unlogged: Check = ({ source }) =>
  source?.postgres?.unlogged.length &&
  risk(
    "unlogged-tables",
    "there are unlogged tables",
    source.postgres.unlogged.slice(0, 5).join(", "),
    "ALTER TABLE ... SET LOGGED, or accept that they arrive empty (Mastodon has none of its own)",
  );

export const tablespaces: Check = ({ source }) =>
  source?.postgres?.tablespaces.length &&
  error(
    "tablespaces",
    "the database has tablespaces elsewhere",
    source.postgres.tablespaces.map((t) => `${t.name} at ${t.location}`).join(", "),
    "move their tables back to pg_default (ALTER TABLE ... SET TABLESPACE) first",
  );

export const extensions: Check = ({ source }) => {
  const contrib =
    /^(plpgsql|amcheck|pg_stat_statements|pg_trgm|citext|hstore|unaccent|uuid-ossp|pgcrypto|btree_gi[ns]t?|pg_buffercache|pg_prewarm|pageinspect|pgstattuple|tablefunc|fuzzystrmatch|postgres_fdw|dblink|intarray|ltree)$/;
  const odd = source?.postgres?.extensions.filter((e) => !contrib.test(e)) ?? [];
  return (
    odd.length &&
    warning(
      "extensions",
      "the database uses extensions that come in packages of their own",
      odd.join(", "),
      `install them on the target as well: postgresql-${source?.postgres?.major}-NAME`,
    )
  );
};

export const pooled: Check = ({ source }) => {
  const port = source?.mastodon?.env.database?.port;
  return (
    port &&
    source?.postgres &&
    port !== source.postgres.port &&
    note(
      "source-pooler",
      "the app speaks with its database through a pooler",
      `it asks port ${port}, Postgres listens on ${source.postgres.port}`,
      "nothing: the target has its own pooler, and the source's stays as it is",
    )
  );
};
