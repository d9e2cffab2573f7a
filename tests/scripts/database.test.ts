import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chain, odd, Pair } from "./pair";

let pair: Pair;
let untouched: string;

before(async () => {
  pair = await Pair.boot({ targetDiskMiB: 1500 });
  untouched = await sourceState();
});

after(() => pair.stop());

/** All that the steps may change on the source, as text. */
async function sourceState(): Promise<string> {
  const files =
    "/etc/postgresql/15/main/pg_hba.conf /var/lib/postgresql/15/main/postgresql.auto.conf /etc/redis/redis.conf";
  const { stdout } = await pair.source.sh(`
    sha256sum ${files}
    stat -c '%n %a %U:%G' ${files}
    ls -A ~postgres /root/.ssh /etc/systemd/system
    find /etc/trunkline /var/lib/trunkline ! -type d 2>/dev/null || true
    redis-cli --no-auth-warning -a ${pair.settings.TEST_REDIS_PASSWORD} config get repl-backlog-size`);
  const sql =
    "SELECT rolname FROM pg_roles; SELECT slot_name FROM pg_replication_slots; SELECT extname FROM pg_extension";
  return (
    stdout +
    (await pair.sql(
      pair.source,
      `${sql}; SELECT name, setting FROM pg_settings WHERE sourcefile LIKE '%auto.conf'`,
    ))
  );
}

test("two hosts come into step, with passwords that break shells", async () => {
  for (const name of chain)
    assert.equal((await pair.must(name)).outcome, name === "database/check" ? "unchanged" : "changed", name);
  assert.equal(await pair.role(pair.target), "standby");
});

test("a second run changes nothing", async () => {
  for (const name of chain) assert.equal((await pair.must(name)).outcome, "unchanged", name);
});

test("what is written on the source is read on the target, by SQL and by Redis", async () => {
  await pair.sql(pair.source, "INSERT INTO accounts (username) VALUES ('new one')");
  await pair.redis(pair.source, "SET", "greeting", "hello");
  await pair.until(
    "the row",
    async () =>
      (await pair.sql(pair.target, "SELECT count(*) FROM accounts WHERE username = 'new one'")) === "1",
  );
  await pair.until("the key", async () => (await pair.redis(pair.target, "GET", "greeting")) === "hello");
});

test("a standby of a database that nobody writes to is not behind", async () => {
  const since = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp()) > 2";
  await pair.until("two seconds without a write", async () => (await pair.sql(pair.target, since)) === "t");
  const { result } = await pair.step("gate/switch", "present", { BEHIND_SECONDS: "1" });
  const refusals = result["refusals"] as { expected: string }[];
  assert.ok(refusals.length > 0, "the app does not run here");
  assert.deepEqual(
    refusals.filter((r) => /behind/.test(r.expected)),
    [],
  );
});

test("no secret stands in a process list, a journal, a server's log or what Postgres shows of itself", async () => {
  for (const host of [pair.source, pair.target]) {
    const { stdout } = await host.sh(
      `ps axww; journalctl --no-pager -o cat; cat /var/log/postgresql/*.log /var/log/redis/*.log`,
    );
    const shown = await pair.sql(
      host,
      "SELECT setting FROM pg_settings; SELECT conninfo FROM pg_stat_wal_receiver",
    );
    for (const text of [stdout, shown]) assert.ok(!text.includes(odd) && !text.includes(odd.slice(0, 12)));
  }
});

test("the standby has the source's limits and its tuning, and no more memory than it has room for", async () => {
  const names =
    "'max_connections','max_worker_processes','max_wal_senders','max_prepared_transactions','max_locks_per_transaction'";
  const of = (host: typeof pair.source) =>
    pair.sql(host, `SELECT name, setting FROM pg_settings WHERE name IN (${names}) ORDER BY 1`);
  assert.equal(await of(pair.target), await of(pair.source));
});

test("a source that was rebooted, and a tunnel that was cut, are followed again by themselves", async () => {
  await pair.source.reboot();
  const heal = await pair.lab.cut(pair.source, pair.target, "reset");
  await pair.until(
    "the standby to lose its stream",
    async () =>
      (await pair.sql(
        pair.target,
        "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'",
      )) === "0",
  );
  await heal();
  await pair.until(
    "the standby to stream",
    async () => (await pair.sql(pair.target, "SELECT status FROM pg_stat_wal_receiver")) === "streaming",
  );
  await pair.until("Redis to follow", async () =>
    (await pair.redis(pair.target, "INFO", "replication")).includes("master_link_status:up"),
  );
  // A Redis that started anew has forgotten the larger backlog.
  const forgetful = ["redis/replica"];
  for (const name of chain.slice(3))
    assert.equal((await pair.must(name)).outcome, forgetful.includes(name) ? "changed" : "unchanged", name);
});

test("packets that vanish leave no reverse port behind on the source for long", async () => {
  const restarts = async () =>
    Number((await pair.target.exec(["systemctl", "show", "-P", "NRestarts", "trunkline-tunnel@wal"])).stdout);
  const before = await restarts();
  const heal = await pair.lab.cut(pair.source, pair.target, "drop");
  await pair.until("the target to give the tunnel up", async () => (await restarts()) > before);
  await heal();
  const reaches = async () =>
    (await pair.source.exec(["pg_isready", "-q", "-h", "127.0.0.1", "-p", "25432"], { allowFail: true }))
      .code === 0;
  await pair.until("the way back to be open again", reaches, 90);
  await pair.must("tunnel/up");
  assert.equal((await pair.must("tunnel/up")).outcome, "unchanged");
});

test("a base backup that is killed, or finds the disk full, harms nothing, and the next run ends well", async () => {
  await pair.sql(
    pair.source,
    "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS t FROM generate_series(1, 400000) n",
  );
  await pair.must("redis/replica", "absent");
  await pair.must("pooler/up", "absent");
  await pair.must("database/standby", "absent");

  const running = pair.step("database/standby", "present", { RATE_MIB: "1" });
  await pair.until(
    "the copy to be under way",
    async () =>
      (
        await pair.target.exec(["test", "-d", "/var/lib/postgresql/15/main.incoming/base"], {
          allowFail: true,
        })
      ).code === 0,
  );
  await pair.target.sh("pgrep -f 'pg_basebackup .* --max-rate=1M$'");
  await pair.target.sh("systemctl kill --signal=KILL trunkline-base-backup");
  assert.notEqual((await running).code, 0);

  await pair.target.sh("fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 200000000)) /filler");
  const full = await pair.step("database/standby");
  assert.notEqual(full.code, 0);
  assert.match(full.stderr, /no space|No space left/i);
  assert.equal(await pair.role(pair.source), "primary");

  await pair.target.sh("rm /filler");
  // More than pg_basebackup takes for a limit.
  assert.equal((await pair.must("database/standby", "present", { RATE_MIB: "100000" })).role, "standby");
});

test("a Postgres and a Redis with data of their own are never overwritten", async () => {
  await pair.must("redis/replica", "absent");
  await pair.must("database/standby", "absent");
  await pair.query(pair.target, "CREATE DATABASE theirs", "postgres");
  const refused = await pair.step("database/standby");
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /new \(target 198\.18\.1\.10\): expected an empty Postgres.*found theirs/);
  await pair.query(pair.target, "DROP DATABASE theirs", "postgres");

  // Nobody used it before, so going back put it to sleep again.
  await pair.target.sh(
    "! systemctl is-active --quiet redis-server; systemctl start redis-server; redis-cli set theirs 1",
  );
  const keys = await pair.step("redis/replica");
  assert.notEqual(keys.code, 0);
  assert.match(keys.stderr, /expected an empty Redis here; found 1 keys/);
  await pair.target.sh("redis-cli del theirs");
});

test("a text index in another order than this host's libc has it is found and named", async () => {
  await pair.must("database/standby");
  // Built in the order of C, and then said to be in that of en_US: what a change of libc leaves behind.
  await pair.sql(
    pair.source,
    `INSERT INTO accounts (username) VALUES ('apple'), ('Banana');
    CREATE INDEX wrong_order ON accounts (username COLLATE "C");
    UPDATE pg_index SET indcollation = (SELECT oid::text FROM pg_collation WHERE collname = 'en_US.utf8')::oidvector WHERE indexrelid = 'wrong_order'::regclass`,
  );
  const found = await pair.step("database/check");
  assert.notEqual(found.code, 0);
  assert.match(found.stderr, /wrong_order/);
  await pair.sql(pair.source, "DROP INDEX wrong_order");
  await pair.until("the index to be gone", async () => (await pair.step("database/check")).code === 0);
});

test("going back leaves the source as it was found, and the target empty", async () => {
  await pair.must("pooler/up");
  await pair.must("redis/replica");
  await pair.sql(pair.source, "DROP TABLE big");
  for (const name of chain.slice(1).reverse()) {
    await pair.must(name, "absent");
    assert.equal((await pair.must(name, "absent")).outcome, "unchanged", name);
  }
  await pair.must("access/grant", "absent");
  assert.equal(await sourceState(), untouched);
  assert.equal(
    await pair.query(
      pair.target,
      "SELECT count(*) FROM pg_database WHERE datname LIKE 'mastodon%'",
      "postgres",
    ),
    "0",
  );
});
