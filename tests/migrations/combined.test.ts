/** Media to a bucket and then the server to a new one, in one stack, while people use the instance. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;

describe("the media and the server, in one stack", { timeout: 25 * minutes }, () => {
  let world: World;
  let journey: Journey;
  const timeline = new Timeline();
  const say = (line: string) => process.stderr.write(`# ${line}\n`);

  before(async () => {
    world = await World.build({
      ...{ rttMs: 10, rate: 5, size: "small", store: "other", serverToo: true, log: say },
      onEvent: (e) => timeline.take(e),
    });
    await world.open();
    await watchJobs(world.source);
    journey = new Journey(world, timeline, say);
  });
  after(async () => world?.stop());

  test("a preview shows the steps of both, the media's first", async () => {
    const { ok, output } = await world.stack.preview(["-c", "phase=switch"]).done;
    assert.ok(ok, output);
    const [media, server] = [output.indexOf(" storage/copy "), output.indexOf(" database/standby ")];
    assert.ok(media > 0 && server > media, output);
  });

  test("up to prepare: browsers learn of the media host; then the media are in the bucket, and accounted for", async () => {
    await world.stack.setConfig({ mediaPhase: "prepare" });
    await journey.to("prepare");
    await world.stack.setConfig({ mediaPhase: "settle" });
    await journey.to("prepare");
    assert.deepEqual(journey.broken, []);
    assert.ok((await world.media!.files()).size > 500);
  });

  for (const phase of ["shift", "switch"])
    test(`up to ${phase}`, async () => {
      await journey.to(phase);
      assert.deepEqual(journey.broken, []);
    });

  test("a second up changes nothing", async () => {
    const run = await world.stack.up(["--expect-no-changes"]).done;
    assert.ok(run.ok, run.output);
  });

  test("the ledger: rows on the new server, files in the bucket, nothing lost, no link broken, nobody noticed", async () => {
    const books = await journey.audit("target");
    assert.deepEqual([...books.findings, ...journey.broken], []);
    for (const [kind, n] of Object.entries(books.acknowledged)) assert.ok(n > 0, `no ${kind} to account for`);
    // The old server has the rows as a standby, and still the disk copy to compare with.
    const media = await world.media!.books(world.source);
    assert.deepEqual(media.findings, []);
    assert.ok(media.objects > 500 && world.media!.redirected > 0);
    const [people, remotes] = await world.stats();
    assert.deepEqual(people.failures, {});
    assert.equal(remotes.dropped, 0);
    assert.equal(people.pictures.broken + remotes.links.broken, 0);
  });
});
