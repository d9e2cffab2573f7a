/** Media of a Compose project to a bucket and back, end to end, while people post pictures and others follow old links. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import type { Ledger } from "../../rehearsal/report/model";
import { sources } from "../../rehearsal/sources";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;
const phases = ["prepare", "replicate", "shift", "switch", "settle"];

describe("media to a bucket, there and back", { timeout: 25 * minutes }, () => {
  let world: World;
  let journey: Journey;
  const timeline = new Timeline();
  const say = (line: string) => process.stderr.write(`# ${line}\n`);

  before(async () => {
    world = await World.build({
      ...{ rttMs: 0, rate: 8, size: "small", store: "other", source: sources["compose"], log: say },
      onEvent: (e) => timeline.take(e),
    });
    await world.open();
    await watchJobs(world.source, world.place());
    journey = new Journey(world, timeline, say);
  });
  after(async () => world?.stop());

  test("a preview shows every step and changes nothing, at the instance or at the store", async () => {
    const run = await world.stack.preview(["-c", "phase=settle"]).done;
    assert.ok(run.ok, run.output);
    for (const step of ["storage/tools", "storage/copy", "storage/switch", "storage/verify"])
      assert.match(run.output, new RegExp(step), `the preview does not show ${step}`);
    assert.equal(await traces(world), "");
    assert.equal((await world.media!.files()).size, 0);
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

  test("no key lies in the plain state, or in a file that others can read", async () => {
    const env = (await world.source.sh(`cat ${world.place().env}`)).stdout;
    const secret = /^AWS_SECRET_ACCESS_KEY=["']?([^"'\n]{8,})/m.exec(env)?.[1];
    assert.ok(secret, "the app has no key of the bucket");
    assert.ok(!world.stack.stateText().includes(secret), "the bucket's key is in the state");
    const found = `grep -rlF "$(cat)" /etc /opt/mastodon /opt/trunkline /var/lib/trunkline /run /home 2>/dev/null | xargs -r stat -c '%a %n' | grep -v '^[4-7]00 ' || true`;
    assert.equal((await world.source.sh(found, { input: secret })).stdout, "");
  });

  test("the ledger: every object is accounted for, no link was broken, nobody noticed", async () => {
    balanced(await journey.audit("target"), journey);
    const books = await world.media!.books(world.source, world.place());
    assert.deepEqual(books.findings, []);
    assert.ok(books.objects > 500, `only ${books.objects} objects`);
    assert.ok((books.linksFetched ?? 0) > 100, "hardly any link was fetched");
    assert.ok(world.media!.redirected > 0, "no old link was led to the media host");
    await nobodyNoticed(world);
  });

  for (const phase of ["shift", "replicate"])
    test(`back to ${phase}`, async () => {
      await world.resume();
      await journey.to(phase);
      assert.deepEqual(journey.broken, []);
    });

  test("the ledger after the way back: what went to the bucket since is on the disk again", async () => {
    balanced(await journey.audit("source"), journey);
    await nobodyNoticed(world);
  });

  test("back to survey: no trace on the instance; the bucket keeps what it has", async () => {
    await journey.to("survey");
    assert.equal(await traces(world), "");
    assert.ok((await world.media!.files()).size > 500);
  });
});

async function traces(world: World): Promise<string> {
  const left = await world.source.sh(
    `set +e; ls -d /opt/trunkline /etc/trunkline /var/lib/trunkline /etc/systemd/system/trunkline* 2>/dev/null
     grep -rl trunkline /etc/nginx 2>/dev/null; grep -lE '^(S3_BUCKET|S3_ALIAS_HOST|EXTRA_MEDIA_HOSTS|S3_ENABLED=true)' ${world.place().env}; true`,
  );
  return left.stdout.trim();
}

async function nobodyNoticed(world: World): Promise<void> {
  const [people, remotes] = await world.stats();
  assert.equal(people.failed, 0, `failed requests: ${JSON.stringify(people.failures)}`);
  assert.equal(remotes.dropped, 0);
}

function balanced(books: Ledger, journey: Journey): void {
  assert.deepEqual(books.findings, []);
  assert.deepEqual(journey.broken, []);
  for (const [kind, n] of Object.entries(books.lost)) assert.equal(n, 0, `lost ${kind}`);
  for (const [kind, n] of Object.entries(books.duplicated)) assert.equal(n, 0, `duplicated ${kind}`);
  for (const [kind, n] of Object.entries(books.acknowledged)) assert.ok(n > 0, `no ${kind} to account for`);
}
