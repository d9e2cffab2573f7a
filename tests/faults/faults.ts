/** Strikes faults one after another in one world, going back between them; shared by the fault tests of each phase. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Fault, faults } from "../../rehearsal/faults";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import type { StoreKind } from "../../rehearsal/stores";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;

export interface Series {
  /** Phase in which the books are drawn up at the end. */
  phase: Fault["phase"];
  /** Phase to begin in. */
  from: string;
  /** Names of faults. Each strikes on the way into its phase, or out of it, if it can and that is the shorter way. */
  names: string[];
  diskMiB?: number;
  /** Media move to this store, instead of a live move. */
  store?: StoreKind;
}

export function faultSeries(o: Series): void {
  describe(`faults in ${o.phase}`, { timeout: 60 * minutes }, () => {
    let world: World;
    let journey: Journey;
    let at = o.from;
    const timeline = new Timeline();
    const say = (line: string) => process.stderr.write(`# ${line}\n`);

    before(async () => {
      world = await World.build({
        ...{ rttMs: 10, rate: 5, size: "small", log: say, targetDiskMiB: o.diskMiB, store: o.store },
        onEvent: (e) => timeline.take(e),
      });
      await world.open();
      await watchJobs(world.source);
      journey = new Journey(world, timeline, say);
      for (const phase of leadingTo(o.from)) await journey.to(phase);
    });
    after(async () => world?.stop());

    async function go(phase: string, fault?: Fault): Promise<void> {
      at = phase; // or half way there, which is gone back from just the same
      await journey.to(phase, fault);
    }

    for (const name of o.names)
      test(name, { timeout: 10 * minutes }, async () => {
        const fault = faults[name];
        assert.ok(fault, `no fault ${name}`);
        assert.equal(fault.example, o.store && "object-storage");
        journey.broken.length = 0;
        const from = order[order.indexOf(fault.phase) - 1] ?? "survey";
        const back = fault.eitherWay && at === fault.phase;
        if (!back && at !== from) await go(from);
        const began = Date.now();
        await go(back ? from : fault.phase, fault);
        say(`${name}: ${journey.ending}, in ${Math.round((Date.now() - began) / 1000)} s`);
        assert.deepEqual(journey.broken, []);
        if (o.store && fault.phase === "replicate") await inStep(world);
      });

    test("nothing was lost in any of them", { timeout: 10 * minutes }, async () => {
      // In shift the two servers hold a part each; the books are drawn up where one holds all.
      const where = o.phase === "shift" ? o.from : o.phase;
      if (at !== where) await go(where);
      const held = o.phase === "switch" || o.phase === "settle" ? "target" : "source";
      const books = await journey.audit(held);
      assert.deepEqual(books.findings, []);
      assert.ok(books.acknowledged.statuses > 0);
      if (held === "target") assert.deepEqual((await world.media?.books(world.source))?.findings ?? [], []);
    });
  });
}

/** The bucket is as the disk is. People go on posting: what is not there at first has to be there a little later. */
async function inStep({ media, source }: World): Promise<void> {
  const end = Date.now() + 60_000;
  for (let left = await media!.unequal(source); left.size;) {
    if (Date.now() > end) assert.deepEqual([...left], [], "not the same in the bucket as on the disk");
    const now = await media!.unequal(source);
    left = new Set([...left].filter((key) => now.has(key)));
  }
}

const order = ["prepare", "replicate", "shift", "switch", "settle"];

function leadingTo(phase: string): string[] {
  return order.slice(0, order.indexOf(phase) + 1);
}
