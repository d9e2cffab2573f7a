import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Load, verify } from "./load";
import { chain, Pair } from "./pair";

let pair: Pair;

before(async () => {
  pair = await Pair.boot();
  // Redis in a unit of its admin's own, and a database that has nothing to do with the instance.
  await pair.source.sh(`
    sed '/^Alias=/d' /lib/systemd/system/redis-server.service >/etc/systemd/system/social-redis.service
    systemctl disable --quiet --now redis-server
    systemctl enable --quiet --now social-redis
    pg_createcluster 15 shop --port 5444 --start`);
  Object.assign(pair.settings, { REDIS_UNIT: "social-redis.service", PG_UNIT: "postgresql@15-main.service" });
  await pair.replicate();
});

after(() => pair.stop());

test("while the data are on the source nothing of it is retired, and no backup is made of a standby", async () => {
  for (const [name, words] of [
    ["host/retire", /found the live primary/],
    ["backup/run", /found a standby/],
  ] as const) {
    const refused = await pair.step(name);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, words);
  }
  assert.equal(await pair.role(pair.source), "primary");
});

test("after the switch a backup is made, and proved by restoring it while people write", async () => {
  await pair.must("switchover/run");
  const load = await Load.start(pair, { clients: 4, thinkMs: 20 });
  assert.equal((await pair.must("backup/run")).outcome, "changed");
  const proved = await pair.must("backup/prove");
  assert.match(String(proved.compared), /accounts\|20000/);
  const record = await load.stop();
  assert.deepEqual(await verify(pair, pair.target, record), { lost: [], duplicated: [] });
  assert.deepEqual(record.errors, []);
  for (const name of ["backup/run", "backup/prove"])
    assert.equal((await pair.must(name)).outcome, "unchanged", name);
});

test("nothing of the proof is left, and the archive takes WAL", async () => {
  await pair.target.sh(
    "! test -e /var/lib/postgresql/trunkline-prove; systemctl is-active --quiet trunkline-backup-nightly.timer",
  );
  assert.equal(await pair.sql(pair.target, "SELECT failed_count FROM pg_stat_archiver"), "0");
});

test("the way back stays open, and short, with archiving on; and the backup goes on after it", async () => {
  await pair.must("switchover/run", "absent");
  assert.equal(await pair.role(pair.source), "primary");
  await pair.must("switchover/run");
  assert.equal((await pair.must("backup/run")).outcome, "unchanged");
});

/** Of what the way back needs, what there is on the target. */
async function forTheWayBack(): Promise<string[]> {
  const { stdout } = await pair.target.sh(`
    cd /etc/trunkline; ls read_key tunnel_key switchover.json 2>/dev/null || true
    ls ~postgres/.trunkline.pgpass 2>/dev/null || true
    { systemctl list-unit-files --no-legend 'trunkline-relay*' 'trunkline-switchover*' 'trunkline-tunnel@*' || true; } | awk '{ print $1 }' | sort`);
  const roles = await pair.sql(
    pair.target,
    "SELECT rolname FROM pg_roles WHERE rolname LIKE 'trunkline%' ORDER BY 1",
  );
  return [...stdout.trim().split("\n"), ...roles.split("\n")].filter(Boolean);
}

test("retired, the old server is off for good and the new one keeps no WAL for it", async () => {
  await pair.target.put("/etc/trunkline/read_key", "of a step that reads from the source", 0o600);
  const needed = await forTheWayBack();
  for (const name of [
    "read_key",
    "tunnel_key",
    "switchover.json",
    "trunkline-relay.service",
    "trunkline_repl",
  ])
    assert.ok(needed.includes(name), `${name} was there: ${needed.join()}`);
  await pair.must("database/publish", "absent");
  await pair.must("switchover/agent", "absent");
  assert.equal((await pair.must("tunnel/up", "absent")).outcome, "changed");
  assert.equal((await pair.must("tunnel/up", "absent")).outcome, "unchanged");
  assert.deepEqual(await forTheWayBack(), ["trunkline_app"], "the app's own way to its database");
  // Begun is begun: what there is a way back with is gone, and the data are here.
  assert.match((await pair.step("switchover/run", "absent")).stderr, /found the data here.*retire has begun/);
  assert.equal((await pair.must("host/retire")).outcome, "changed");
  assert.equal((await pair.must("host/retire")).outcome, "unchanged");
  await pair.source.reboot();
  assert.equal(await pair.role(pair.source), "down");
  await pair.source.sh(
    "test -f /var/lib/postgresql/15/main/standby.signal; ! systemctl is-active --quiet social-redis redis-server",
  );
  // The neighbour runs on, also after the reboot.
  await pair.source.sh("pg_isready --quiet --timeout=60 -p 5444");
  assert.equal(await pair.sql(pair.target, "SELECT count(*) FROM pg_replication_slots"), "0");
  await pair.target.reboot();
  await pair.until("the primary to be up", async () => (await pair.role(pair.target)) === "primary");
  for (const name of chain.filter((n) => ["database/standby", "pooler/up", "redis/replica"].includes(n)))
    assert.equal((await pair.must(name)).outcome, "unchanged", name);
  assert.deepEqual(await forTheWayBack(), ["trunkline_app"]);
  const load = await Load.start(pair, { clients: 4, thinkMs: 20 });
  const record = await load.stop();
  assert.deepEqual(
    [record.errors, await verify(pair, pair.target, record)],
    [[], { lost: [], duplicated: [] }],
  );
  const failed = await pair.target.sh("systemctl list-units --failed --no-legend --plain 'trunkline-*'");
  assert.equal(failed.stdout, "");
});
