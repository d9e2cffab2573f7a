import { type Fault, type Scene, switchoverTakes } from "./fault";

const psql = "runuser -u postgres -- psql -XAtq";

/** Restarts the source's Postgres with an archive_command that takes its time; archiving is off by default. */
const archiving = `${psql} -c 'ALTER SYSTEM SET archive_mode = on' -c "ALTER SYSTEM SET archive_command = 'sleep 600'"
  systemctl restart postgresql@15-main`;
const notArchiving = `${psql} -c 'ALTER SYSTEM RESET archive_mode' -c 'ALTER SYSTEM RESET archive_command' -c 'SELECT pg_reload_conf()'`;

/**
 * A client of PgBouncer that begins one short transaction after another, and leaves the one open in which the
 * switchover begins to pause: nothing long is in sight before.
 */
const holder = `
  journal=/var/lib/trunkline/switchover.jsonl
  from=$(($(wc -l <"$journal" 2>/dev/null || echo 0) + 1))
  export PGPASSFILE=/etc/trunkline/app.pgpass
  coproc psql -XAtq 'host=127.0.0.1 port=6432 user=trunkline_app dbname=mastodon_production'
  for _ in {1..400}; do
    echo 'BEGIN; SELECT txid_current();' >&"\${COPROC[1]}"; read -r _ <&"\${COPROC[0]}"
    for _ in {1..15}; do
      sleep 0.02
      tail -n "+$from" "$journal" 2>/dev/null | grep -q '"name": "pause"' || continue
      sleep 10; echo held; exit
    done
    echo 'COMMIT; SELECT 1;' >&"\${COPROC[1]}"; read -r _ <&"\${COPROC[0]}"
  done`;

/** Another cluster in the place of the target's standby; the right one stays beside it. */
const data = "/var/lib/postgresql/15/main";
const swap = `
  systemctl stop postgresql@15-main; mv ${data} ${data}.good
  runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -D ${data} >/dev/null
  runuser -u postgres -- touch ${data}/standby.signal
  systemctl start postgresql@15-main`;
const swapBack = `
  systemctl stop postgresql@15-main; rm -rf ${data}; mv ${data}.good ${data}
  systemctl start postgresql@15-main`;

const slow = { timeoutMs: 60_000 };

export const database: Record<string, Fault> = {
  "open-transaction": {
    title: "a transaction is held open when the switchover wants to pause",
    phase: "switch",
    eitherWay: true,
    fails: "must",
    says: /a transaction stayed open/,
    async strike(c) {
      const held = await c.target().sh(holder, { timeoutMs: 200_000 });
      if (held.stdout.trim() !== "held") throw new Error("the switchover did not come to its pause");
    },
  },
  "long-transaction": {
    title: "somebody's long query runs on the old server",
    phase: "switch",
    fails: "must",
    says: /transactions open for long: pid \d+, user postgres/,
    async strike(c) {
      await switchoverTakes(c, "connect");
      const query = `${psql} -d mastodon_production -c 'BEGIN; SELECT txid_current(), pg_sleep(120)'`;
      const held = c.source.sh(query, { timeoutMs: 150_000, allowFail: true });
      await c.run.done;
      await c.source.sh(
        `${psql} -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)' AND pid <> pg_backend_pid()"`,
      );
      await held;
    },
  },
  "slow-archive": {
    title: "the old server's archive_command hangs",
    phase: "switch",
    fails: "no",
    before: async (c: Scene) => void (await c.source.sh(archiving, slow)),
    async strike(c) {
      await c.run.done;
      await c.source.sh(notArchiving, slow);
    },
  },
  "pgbouncer-killed": {
    title: "PgBouncer killed while it is paused",
    phase: "switch",
    eitherWay: true,
    async strike(c) {
      await switchoverTakes(c, "fence");
      await c.target().sh("systemctl kill -s KILL pgbouncer.service");
    },
  },
  "wrong-standby": {
    title: "the standby's data directory belongs to another system",
    phase: "switch",
    fails: "must",
    says: /is another database/,
    before: async (c: Scene) => void (await c.target().sh(swap, slow)),
    async strike(c) {
      await c.run.done;
      await c.target().sh(swapBack, slow);
    },
  },
};
