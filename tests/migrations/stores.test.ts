/** Media to buckets that the program makes, a store after the other, each in two `pulumi up` while people post pictures. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import { bucketName } from "../../rehearsal/media";
import type { StoreKind } from "../../rehearsal/stores";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;

interface Example {
  /** What the program says of the bucket, the app's key and the media host before it makes them. */
  says: RegExp[];
  /** What the admin sets besides. */
  config?: (world: World) => [plain: Record<string, string>, secret: Record<string, string>];
  /** Goes back again. */
  returns?: boolean;
}

const examples: Record<Exclude<StoreKind, "other">, Example> = {
  s3: { says: [/at AWS S3, eu-central-1: made by this stack/, /IAM user mastodon-/, /by CloudFront/] },
  r2: {
    says: [/at Cloudflare R2: made by this stack/, /an account token/, /by the bucket's own domain/],
    returns: true,
  },
  b2: {
    says: [/at Backblaze B2: made by this stack/, /application key mastodon-/, /a pull zone at bunny\.net/],
    config: ({ clouds }) => [{ mediaCdn: "bunny" }, { bunnyApiKey: clouds.api.bunnyApiKey() }],
  },
};

for (const [store, { says, config, returns }] of Object.entries(examples) as [
  keyof typeof examples,
  Example,
][])
  describe(`media to ${store}`, { timeout: 15 * minutes }, () => {
    let world: World;
    let journey: Journey;
    const say = (line: string) => process.stderr.write(`# ${line}\n`);

    before(async () => {
      const timeline = new Timeline();
      world = await World.build({
        ...{ rttMs: 0, rate: 8, size: "small", store, log: say },
        onEvent: (e) => timeline.take(e),
      });
      if (config) await world.stack.setConfig(...config(world));
      await world.open();
      await watchJobs(world.source, world.place());
      journey = new Journey(world, timeline, say);
    });
    after(async () => world?.stop());

    test("once browsers know the media host, to the end in one run", async () => {
      const { output } = await journey.to("prepare");
      await journey.to("settle");
      for (const said of says) assert.match(output, said);
      // Without ACLs the files of suspended accounts can't go along.
      const doubts = [...output.matchAll(/^\s+(?:error|warning) ([a-z-]+): /gm)].map(([, code]) => code);
      assert.deepEqual([...new Set(doubts)], store === "s3" ? [] : ["storage-suspended"]);
    });

    test("every object is accounted for, nobody noticed, no private file is open to anyone", async () => {
      await nobodyNoticed("target");
      const { objects, linksFetched, findings, ...books } = await world.media!.books(
        world.source,
        world.place(),
      );
      assert.deepEqual(findings, []);
      const { missing, wrong, brokenLinks, privateExposed, withheld } = books;
      assert.deepEqual([missing, wrong, brokenLinks, privateExposed], [0, 0, 0, 0]);
      assert.equal(store === "s3", withheld === 0, `${withheld} files were withheld`);
      assert.ok(objects > 500 && (linksFetched ?? 0) > 100, `${objects} objects, ${linksFetched} links`);
      assert.ok(world.media!.redirected > 0, "no old link was led to the media host");
    });

    test("`pulumi destroy` takes nothing away that the app uses", async () => {
      const { objects } = await world.media!.books(world.source, world.place());
      const { ok, output } = await world.stack.start(["destroy", "--yes", "--skip-preview"]).done;
      assert.ok(!ok && /protect/.test(output), output);
      assert.ok(world.media!.store.hasBucket(bucketName));
      const books = await world.media!.books(world.source, world.place());
      assert.deepEqual([books.objects, books.findings], [objects, []]);
    });

    if (returns) {
      test("back again in one run, past a media host that keeps what it did not find", async () => {
        await world.resume();
        await journey.to("replicate");
        await nobodyNoticed("source");
      });

      test("at survey the stack keeps the bucket without its key, and the way forward makes a key alone", async () => {
        await journey.to("survey");
        await journey.to("survey");
        const again = await world.stack.up(["--expect-no-changes"]).done;
        assert.ok(again.ok, again.output);
        const ahead = await world.stack.preview(["-c", "phase=settle"]).done;
        assert.ok(ahead.ok, ahead.output);
        const made = ahead.events.filter((e) => e.kind === "start" && /^(bucket|cdn)-/.test(e.name));
        const names = made.filter((e) => e.op === "same").map((e) => e.name);
        assert.deepEqual(names.sort(), ["bucket-cors", "bucket-lifecycle", "bucket-r2", "cdn-domain"]);
        const others = made.filter((e) => e.op !== "same").map((e) => `${e.op} ${e.name}`);
        assert.deepEqual(others, ["create bucket-key"]);
      });
    }

    async function nobodyNoticed(truth: "source" | "target"): Promise<void> {
      const ledger = await journey.audit(truth);
      assert.deepEqual([...ledger.findings, ...journey.broken], []);
      const [people, remotes] = await world.stats();
      assert.equal(people.failed, 0, `failed requests: ${JSON.stringify(people.failures)}`);
      const looks = [people.pictures, remotes.links];
      assert.deepEqual([...looks.map((l) => l.broken), remotes.dropped], [0, 0, 0], JSON.stringify(looks));
    }
  });
