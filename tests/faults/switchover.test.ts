import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { Load, type LoadRecord, verify } from "../scripts/load";
import { Pair, type StepResult } from "../scripts/pair";

/** The numbered steps of scripts/switchover/switchover.py; the seventh fences the old server, the eighth is the point of no return. */
const steps = 14;
const fence = 7;
const noReturn = 8;

let pair: Pair;

before(async () => {
  pair = await Pair.boot();
  await pair.replicate();
  await pair.target.put(
    "/root/killer/sitecustomize.py",
    readFileSync(path.join(__dirname, "../../rehearsal/faults/killer.py"), "utf8"),
  );
  const unit = "/etc/systemd/system/trunkline-switchover.service.d/killer.conf";
  await pair.target.put(unit, "[Service]\nEnvironment=PYTHONPATH=/root/killer\n");
});

after(() => pair.stop());

const where = async () => ((await pair.primary()) === pair.target ? "target" : "source");

interface Expect {
  /** Clients may see errors, for instance since PgBouncer itself was killed. */
  errors?: boolean;
  /** Redis of the source loses what it has not saved when the power goes. */
  redisLoses?: boolean;
}

/** Runs `during` under load, and fails if anything acknowledged is missing or there twice, or any client saw an error. */
async function underLoad(during: () => Promise<void>, expect: Expect = {}): Promise<LoadRecord> {
  const load = await Load.start(pair, { clients: 10, thinkMs: 10 });
  let record: LoadRecord;
  try {
    await during();
  } finally {
    await settled();
    record = await load.stop();
  }
  if (expect.redisLoses) record.jobs = [];
  assert.deepEqual(await verify(pair, await pair.primary(), record), { lost: [], duplicated: [] });
  if (!expect.errors) assert.deepEqual([...record.errors, ...record.redisErrors], []);
  return record;
}

/** Exactly one primary, and the pooler not paused. */
async function settled(): Promise<void> {
  await pair.until("one primary", async () => !!(await pair.primary()), 120);
  const admin =
    "runuser -u postgres -- psql -XAtq -p 6432 -U pgbouncer -d pgbouncer -c 'SHOW DATABASES' | cut -d'|' -f10 | grep -c 1 || true";
  await pair.until(
    "the pooler to be running",
    async () => (await pair.target.sh(admin)).stdout.trim() === "0",
  );
}

test("a load that Redis does not let in says so", async () => {
  const load = await Load.start(pair, { clients: 2, redisPassword: "another" });
  const { redisErrors, errors } = await load.stop();
  assert.deepEqual(errors, []);
  assert.match(redisErrors[0] ?? "none", /not let in: .*WRONGPASS/);
});

test("forward, back and forward again under load: nothing lost, nothing twice, no error", async () => {
  const record = await underLoad(async () => {
    for (const [want, side] of [
      ["present", "target"],
      ["absent", "source"],
      ["present", "target"],
    ] as const) {
      const result = await pair.must("switchover/run", want);
      assert.equal(result.outcome, "changed");
      assert.equal(result.direction, want === "present" ? "forward" : "back");
      for (const figure of ["writePauseMs", "rttMs", "redisPauseMs"])
        assert.equal(typeof result[figure], "number", figure);
      assert.equal(await where(), side);
    }
  });
  assert.ok(record.gapMs < 3_000, `no writer waited for long: ${record.gapMs} ms`);
});

test("a second run changes nothing, and the check finds everything in its place", async () => {
  assert.equal((await pair.must("switchover/run")).outcome, "unchanged");
  assert.equal((await pair.must("switchover/check")).outcome, "unchanged");
  for (const name of [
    "database/publish",
    "switchover/agent",
    "tunnel/up",
    "database/standby",
    "pooler/up",
    "redis/replica",
  ])
    assert.equal((await pair.must(name)).outcome, "unchanged", name);
});

test("what holds the live data is not taken down", async () => {
  for (const name of ["database/standby", "redis/replica"]) {
    const refused = await pair.step(name, "absent");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /found the live primary/);
  }
});

test("both servers rebooted after the switch come back as they were", async () => {
  if ((await where()) === "source") await pair.must("switchover/run");
  await pair.source.reboot();
  await pair.target.reboot();
  await settled();
  assert.equal(await where(), "target");
  await pair.must("switchover/check");
  await pair.must("switchover/run", "absent");
});

for (let n = 1; n <= steps; n++)
  test(`killed in step ${n}, there or back: one primary, nobody left waiting, and the next run goes there`, async () => {
    await underLoad(async () => {
      for (const delay of [0, 12]) await killed(n, delay);
    });
  });

/** One run that is killed once its journal shows the step, and what has to be true then and after the next run. */
async function killed(n: number, delayMs: number): Promise<void> {
  const from = await where();
  const want = from === "source" ? "present" : "absent";
  const there = from === "source" ? "target" : "source";
  await pair.target.put("/root/killer/at", `${n} ${delayMs}`);
  const first = await pair.step("switchover/run", want);
  await settled();
  // A kill that never struck proves nothing: the killer takes its order away as it strikes, and the recovery says where.
  const order = await pair.target.sh("if [[ -e /root/killer/at ]]; then cat /root/killer/at; fi");
  assert.equal(order.stdout, "", `the switchover never came to step ${n}`);
  if (delayMs === 0) {
    assert.match(first.stderr, new RegExp(`the last run ended in step ${n},`));
    assert.equal(await where(), n < noReturn ? from : there);
    assert.equal(first.code === 0, n >= noReturn, first.stderr);
  }
  await pair.must("switchover/run", want);
  assert.equal(await where(), there);
}

test("a transaction that stays open is named, and nobody waits for it", async () => {
  if ((await where()) === "target") await pair.must("switchover/run", "absent");
  const held = pair.source.exec(
    [
      "runuser",
      "-u",
      "postgres",
      "--",
      "psql",
      "-d",
      "mastodon_production",
      "-c",
      "BEGIN; SELECT pg_sleep(600)",
    ],
    { allowFail: true, timeoutMs: 700_000 },
  );
  const record = await underLoad(async () => {
    const refused = await pair.step("switchover/run");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /transactions open for long: pid \d+, user postgres/);
  });
  assert.ok(record.gapMs < 2_000, `${record.gapMs} ms`);
  const ours = "query LIKE '%pg_sleep(600)' AND pid <> pg_backend_pid()";
  await pair.sql(pair.source, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${ours}`);
  await held;
});

test("an open transaction in the pooler ends in a resume, not in a stall", async () => {
  const client = `import sys, time; sys.path.insert(0, "/opt/trunkline/scripts/switchover")
from wire import Connection
c = Connection(("127.0.0.1", 6432), "trunkline_app", "mastodon_production", open(sys.argv[1]).read())
while True:
    c.query("BEGIN"); c.query("SELECT 1"); time.sleep(0.4); c.query("COMMIT")`;
  await pair.target.put("/root/holder.py", client);
  await underLoad(async () => {
    const passwords = (await pair.target.sh("ls /root/load-*.password | tail -n 1")).stdout.trim();
    await pair.target.sh(`systemd-run --quiet --unit=holder python3 /root/holder.py ${passwords}`);
    await pair.step("switchover/run"); // it may find a gap, or not; either is well
    await pair.target.sh("systemctl stop holder");
  });
});

/**
 * Does something while the switchover stands still, with step n in its journal and nothing of it done, and lets it go on.
 * @returns what came of the step
 */
async function inStep(n: number, deed: () => Promise<void>): Promise<StepResult> {
  await pair.target.put("/root/killer/at", `${n} stop`);
  const running = pair.step("switchover/run");
  running.catch(() => undefined); // told by whoever waits for it
  const stopped = await standstill(n);
  await deed();
  if (pair.target.pid() === stopped.host) await pair.target.exec(["kill", "-CONT", stopped.controller]);
  return running;
}

/** Waits until the killer has stopped the switchover. */
async function standstill(n: number): Promise<{ controller: string; host: number }> {
  const look = `pid=$(systemctl show --property MainPID --value trunkline-switchover)
    grep -q '^State:.T' "/proc/$pid/status"; tail -n 1 /var/lib/trunkline/switchover.jsonl | grep -q '"n": ${n},'; echo "$pid"`;
  let controller = "";
  await pair.until(`the switchover to stand still in step ${n}`, async () => {
    controller = (await pair.target.sh(look)).stdout.trim();
    return true;
  });
  return { controller, host: pair.target.pid() };
}

test("PgBouncer killed while it is paused: at most errors, nothing lost, and the move is made or undone", async () => {
  if ((await where()) === "target") await pair.must("switchover/run", "absent");
  await underLoad(
    async () => {
      await inStep(fence, async () => void (await pair.target.sh("systemctl kill --signal=KILL pgbouncer")));
      await settled();
      await pair.must("switchover/run");
    },
    { errors: true },
  );
});

test("the tunnel cut silently in the switch: undone or made once it is back", async () => {
  if ((await where()) === "target") await pair.must("switchover/run", "absent");
  await underLoad(
    async () => {
      let healed: Promise<void> | undefined;
      await inStep(fence, async () => {
        const heal = await pair.lab.cut(pair.source, pair.target, "drop");
        healed = sleep(3_000).then(heal); // a cut has a length; nothing is waited for
      });
      await healed;
      await settled();
      await pair.must("switchover/run");
    },
    { errors: true },
  );
});

test("the old server loses its power just after the fence: it comes back as what the other one is not", async () => {
  if ((await where()) === "target") await pair.must("switchover/run", "absent");
  await underLoad(
    async () => {
      let booted: Promise<void> | undefined;
      await inStep(noReturn, async () => {
        await pair.source.kill();
        booted = pair.source.start();
      });
      await booted;
      await settled();
      await pair.must("switchover/run");
    },
    { errors: true, redisLoses: true },
  );
});

for (const [n, what] of [
  [fence, "before"],
  [9, "after"],
] as const)
  test(`the new server loses its power ${what} the promotion: it finishes or undoes by itself when it is back`, async () => {
    if ((await where()) === "target") await pair.must("switchover/run", "absent");
    const { code } = await inStep(n, () => pair.target.reboot());
    assert.notEqual(code, 0, "the step was cut off with its host");
    await settled();
    await pair.until(
      "the boot's own recovery",
      async () =>
        !(
          await pair.target.exec(["systemctl", "is-active", "trunkline-switchover-boot"], { allowFail: true })
        ).stdout.includes("activating"),
      120,
    );
    const said = await pair.target.sh("journalctl --quiet -o cat -u trunkline-switchover-boot");
    assert.match(said.stdout, new RegExp(`the last run ended in step ${n},`));
    assert.equal(await where(), n < noReturn ? "source" : "target");
    await pair.must("switchover/run");
    assert.equal(await where(), "target");
    await pair.must("switchover/check");
  });

test("a slow archive_command does not lengthen the pause", async () => {
  if ((await where()) === "source") await pair.must("switchover/run");
  await pair.sql(pair.target, "ALTER SYSTEM SET archive_command = 'sleep 30'");
  await pair.sql(pair.target, "SELECT pg_reload_conf()");
  const record = await underLoad(async () => {
    await pair.must("switchover/run", "absent");
  });
  assert.ok(record.gapMs < 5_000, `${record.gapMs} ms`);
  await pair.sql(pair.target, "ALTER SYSTEM RESET archive_command");
});

test("a standby of another database is refused before anything is paused", async () => {
  if ((await where()) === "target") await pair.must("switchover/run", "absent");
  await pair.target.sh(`
    systemctl stop postgresql@15-main
    mv /var/lib/postgresql/15/main /var/lib/postgresql/15/ours
    runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -D /var/lib/postgresql/15/main >/dev/null
    runuser -u postgres -- touch /var/lib/postgresql/15/main/standby.signal
    systemctl start postgresql@15-main || true`);
  const record = await underLoad(async () => {
    const refused = await pair.step("switchover/run");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /is a standby of another database/);
  });
  assert.ok(record.gapMs < 2_000, `${record.gapMs} ms`);
  await pair.target.sh(`
    systemctl stop postgresql@15-main; rm -rf /var/lib/postgresql/15/main
    mv /var/lib/postgresql/15/ours /var/lib/postgresql/15/main; systemctl start postgresql@15-main`);
  await pair.must("switchover/run");
});
