import { type Fault, stepStarts, switchoverSays } from "./fault";

const psql = "runuser -u postgres -- psql -XAtq";

export const database: Record<string, Fault> = {
  "open-transaction": {
    title: "a transaction is held open on the source when the switchover wants to pause",
    phase: "switch",
    async strike(c) {
      const held = c.source.sh(
        `${psql} -d mastodon_production -c "BEGIN; SELECT txid_current(); SELECT pg_sleep(20); COMMIT"`,
        { timeoutMs: 60_000, allowFail: true },
      );
      await held;
    },
  },
  "slow-archive": {
    title: "the old server's archive_command hangs",
    phase: "switch",
    fails: "no",
    async strike(c) {
      await c.source.sh(
        `${psql} -c "ALTER SYSTEM SET archive_command = 'sleep 600'" -c 'SELECT pg_reload_conf()'`,
      );
      await stepStarts(c, "switchover/check");
      await c.source.sh(`${psql} -c 'ALTER SYSTEM RESET archive_command' -c 'SELECT pg_reload_conf()'`, {
        allowFail: true,
      });
    },
  },
  "pgbouncer-killed": {
    title: "PgBouncer killed while it is paused",
    phase: "switch",
    async strike(c) {
      await switchoverSays(c, '"name": "fence"');
      await c.target().sh("systemctl kill -s KILL pgbouncer.service");
    },
  },
  "wrong-standby": {
    title: "the standby's data directory belongs to another system",
    phase: "switch",
    fails: "must",
    says: /system identifier/i,
    async strike(c) {
      const data = "/var/lib/postgresql/15/main";
      // Struck before the run looks: the standby is swapped for a fresh cluster, and put back when it was refused.
      await c.target().sh(
        `systemctl stop postgresql@15-main; mv ${data} ${data}.good
         runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -D ${data} >/dev/null
         systemctl start postgresql@15-main`,
        { timeoutMs: 60_000 },
      );
      await c.run.done;
      await c
        .target()
        .sh(
          `systemctl stop postgresql@15-main; rm -rf ${data}; mv ${data}.good ${data}; systemctl start postgresql@15-main`,
          { timeoutMs: 60_000 },
        );
    },
  },
};
