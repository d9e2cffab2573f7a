import { type Check, error, risk, warning } from "../finding";
import { reached } from "../phase";

const ours = /^trunkline/;

export const walLevel: Check = ({ source }) =>
  source?.postgres?.settings["wal_level"] === "minimal" &&
  error(
    "wal-level",
    "the source writes too little WAL to be followed",
    "wal_level is minimal",
    "set wal_level to replica and restart Postgres at a quiet time",
  );

export const senders: Check = ({ source }) => {
  const pg = source?.postgres;
  if (pg?.role !== "primary") return null;
  const max = Number(pg.settings["max_wal_senders"]);
  const used = pg.walsenders.filter((w) => !ours.test(w.user)).length;
  return (
    max - used < 3 &&
    error(
      "wal-senders",
      "the source has too few WAL senders",
      `max_wal_senders is ${max}, ${used} in use; 3 are needed (base backup 2, standby 1)`,
      `set max_wal_senders to ${used + 5} and restart Postgres at a quiet time`,
    )
  );
};

export const slots: Check = ({ source }) => {
  const pg = source?.postgres;
  if (pg?.role !== "primary") return null;
  const max = Number(pg.settings["max_replication_slots"]);
  const used = pg.slots.filter((s) => !ours.test(s.name)).length;
  return (
    max - used < 2 &&
    error(
      "replication-slots",
      "the source has too few replication slots",
      `max_replication_slots is ${max}, ${used} in use; 2 are needed`,
      `set max_replication_slots to ${used + 5} and restart Postgres at a quiet time`,
    )
  );
};

/** Of scripts/pooler: what the target's relay keeps open (min_pool_size) and some for the steps; and its most (default_pool_size). */
const kept = 20 + 5;
const most = 40 + 5;

export const connections: Check = ({ source, at }) => {
  const pg = source?.postgres;
  if (pg?.role !== "primary" || pg.connections === null || reached(at, "replicate")) return null;
  if (!pg.settings["max_connections"]) return null;
  const number = (name: string) => Number(pg.settings[name] ?? 0);
  const usable =
    number("max_connections") - number("superuser_reserved_connections") - number("reserved_connections");
  if (usable - pg.connections >= most) return null;
  const scarce = usable - pg.connections < kept;
  return (scarce ? error : warning)(
    "connections",
    scarce ? "the source has too few connections" : "the source's connections may become few",
    `${pg.connections} of ${usable} are in use (max_connections is ${number("max_connections")})`,
    `set max_connections to ${number("max_connections") + most} and restart Postgres at a quiet time: besides the app's own the target keeps 20 open from replicate on, and up to 40 from shift to switch`,
  );
};

export const slotLost: Check = ({ source }) =>
  source?.postgres?.slots.some((s) => ours.test(s.name) && s.walStatus === "lost") &&
  error(
    "slot-lost",
    "the source has let go of WAL that the target needs",
    "the slot's wal_status is lost: the target was away longer than slotKeepMiB could hold",
    "go back to prepare (pulumi config set phase prepare, pulumi up), raise slotKeepMiB, and go on again: the base backup is taken anew",
  );

export const prepared: Check = ({ source }) =>
  source?.postgres &&
  source.postgres.prepared > 0 &&
  error(
    "prepared-transactions",
    "there are prepared transactions",
    `${source.postgres.prepared} in pg_prepared_xacts`,
    "commit or roll them back: they hold locks over the switch",
  );

export const otherSender: Check = ({ source, at }) => {
  const others =
    source?.postgres?.walsenders.filter((w) => !ours.test(w.user) && !ours.test(w.application)) ?? [];
  return (
    others.length &&
    !reached(at, "switch") &&
    risk(
      "other-walsender",
      "something else follows the source's Postgres",
      others
        .map((w) => `${w.application || "?"} (${w.user} from ${w.client ?? "a local socket"}, ${w.state})`)
        .join(", "),
      "stop it, or see that it keeps up: a clean shutdown of the source waits for it, and it will not follow to the target",
    )
  );
};

export const archiver: Check = ({ source }) => {
  const a = source?.postgres?.archiver;
  return (
    a?.lastFailedMs &&
    a.lastFailedMs > (a.lastArchivedMs ?? 0) &&
    risk(
      "archiver",
      "the source's WAL archiving fails",
      `${a.failed} failures, the last at ${new Date(a.lastFailedMs).toISOString()}, and none archived since`,
      "repair archive_command: WAL piles up on the source meanwhile, and its shutdown is held up",
    )
  );
};

/** Commands that do nothing, and nothing at all. */
const noArchive = /^\s*(\(disabled\)|(\/usr)?(\/bin\/)?true|:|exit 0)?\s*$/;

export const walArchive: Check = ({ source, at }) => {
  const { archive_mode: mode = "off", archive_command: command = "" } = source?.postgres?.settings ?? {};
  if (mode === "off" || noArchive.test(command) || reached(at, "switch")) return null;
  // No more than its first word: it may have a password in it.
  const program = /^\s*([^\s=]+)(\s|$)/.exec(command)?.[1] ?? "a command";
  return warning(
    "wal-archive",
    "not carried: the source's WAL archive",
    `archive_mode is ${mode}, archive_command runs ${program}`,
    "on the target WAL goes to Trunkline's own backups alone, where those are set, and the archive here ends at the switch: set up on the target what you restore from, with a base backup of its own, and keep the old archive until then",
  );
};

export const synchronous: Check = ({ source, at }) =>
  source?.postgres?.settings["synchronous_standby_names"] &&
  !reached(at, "switch") &&
  error(
    "synchronous-standby",
    "commits on the source wait for a standby",
    `synchronous_standby_names is ${source.postgres.settings["synchronous_standby_names"]}`,
    "empty it for the migration: the standby it waits for will not follow",
  );

export const longTransactions: Check = ({ source, at }) => {
  const long = source?.postgres?.longTransactions ?? [];
  return (
    long.length &&
    !reached(at, "switch") &&
    warning(
      "long-transactions",
      "transactions are open for long",
      long.map((t) => `pid ${t.pid} ${t.application || t.user}, ${t.seconds} s`).join(", "),
      "see that none is open at the switch: writes would wait for it until the deadline, and then all is undone",
    )
  );
};
