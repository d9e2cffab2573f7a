/** The whole migration, end to end, there and back, while people use the instance. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import type { Ledger } from "../../rehearsal/report/model";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;
const phases = ["prepare", "replicate", "shift", "switch"];

describe("a live move, there and back", { timeout: 25 * minutes }, () => {
  let world: World;
  let journey: Journey;
  const timeline = new Timeline();
  const say = (line: string) => process.stderr.write(`# ${line}\n`);

  before(async () => {
    world = await World.build({
      ...{ rttMs: 10, rate: 8, size: "small", log: say },
      onEvent: (e) => timeline.take(e),
    });
    await world.open();
    await watchJobs(world.source);
    journey = new Journey(world, timeline, say);
  });
  after(async () => world?.stop());

  test("a preview shows every step, and leaves no trace on the source", async () => {
    const traces =
      "set +e; ls -d /opt/trunkline /etc/trunkline /var/lib/trunkline 2>/dev/null; grep -c trunkline /root/.ssh/authorized_keys || true";
    const run = await world.stack.preview(["-c", "phase=settle"]).done;
    assert.ok(run.ok, run.output);
    for (const step of ["access/grant", "database/standby", "switchover/run", "backup/prove", "web/renewal"])
      assert.match(run.output, new RegExp(step), `the preview does not show ${step}`);
    assert.equal((await world.source.sh(traces)).stdout.trim(), "0");
  });

  for (const phase of phases)
    test(`up to ${phase}`, async () => {
      await journey.to(phase);
      assert.deepEqual(journey.broken, []);
    });

  test("a second up changes nothing", async () => {
    const run = await world.stack.up(["--expect-no-changes"]).done;
    assert.ok(run.ok, run.output);
  });

  test("no secret lies in the plain state", async () => {
    const state = world.stack.stateText();
    assert.ok(state.includes("switchover/run"), "the state was not found");
    const env = (await world.source.sh("cat /home/mastodon/live/.env.production")).stdout;
    const secrets = [
      ...env.matchAll(/^(?:SECRET_KEY_BASE|OTP_SECRET|VAPID_PRIVATE_KEY|DB_PASS)=["']?([^"'\n]{8,})/gm),
    ];
    assert.ok(secrets.length > 0, "no secret to look for");
    for (const [, secret] of secrets)
      assert.ok(!state.includes(secret ?? ""), "a secret of the app is in the state");
    assert.ok(!state.includes("PRIVATE KEY"), "a private key is in the state");
  });

  test("the ledger after the switch: nothing lost, nothing twice, nobody noticed", async () => {
    balanced(await journey.audit("target"), journey);
    const [people, remotes] = await world.stats();
    assert.equal(people.failed, 0, `failed requests: ${JSON.stringify(people.failures)}`);
    assert.equal(remotes.dropped, 0);
    assert.ok((await journey.switchover()).writePauseMs > 0, "no pause was measured");
  });

  test("back to shift: the same switchover backwards", async () => {
    await world.resume();
    await journey.to("shift");
    assert.deepEqual(journey.broken, []);
  });

  test("back to replicate: the old server serves again", async () => {
    await journey.to("replicate");
    const answer = await world.source.sh(
      "systemctl is-active mastodon-web mastodon-sidekiq mastodon-streaming@4000",
    );
    assert.match(answer.stdout, /^(active\n){3}$/);
  });

  test("the ledger after the way back", async () => {
    balanced(await journey.audit("source"), journey);
    const [people, remotes] = await world.stats();
    assert.equal(people.failed, 0, `failed requests: ${JSON.stringify(people.failures)}`);
    assert.equal(remotes.dropped, 0);
  });

  test("back to survey: no trace of Trunkline on the source", async () => {
    await journey.to("survey");
    const left = await world.source.sh(
      `set +e; ls -d /opt/trunkline /etc/trunkline /var/lib/trunkline /etc/systemd/system/trunkline* 2>/dev/null
       grep trunkline /root/.ssh/authorized_keys /etc/nginx/sites-enabled/* 2>/dev/null
       runuser -u postgres -- psql -XAtq -c "SELECT rolname FROM pg_roles WHERE rolname LIKE 'trunkline%'" \\
         -c "SELECT slot_name FROM pg_replication_slots"; true`,
    );
    assert.equal(left.stdout.trim(), "");
  });
});

function balanced(books: Ledger, journey: Journey): void {
  assert.deepEqual(books.findings, []);
  assert.deepEqual(journey.broken, []);
  for (const [kind, n] of Object.entries(books.lost)) assert.equal(n, 0, `lost ${kind}`);
  for (const [kind, n] of Object.entries(books.duplicated)) assert.equal(n, 0, `duplicated ${kind}`);
  for (const [kind, n] of Object.entries(books.acknowledged)) assert.ok(n > 0, `no ${kind} to account for`);
  assert.ok(books.tables.compared > 20 && books.mediaFiles.compared > 100, "too little was compared");
}
