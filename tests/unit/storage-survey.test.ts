import assert from "node:assert/strict";
import { test } from "node:test";
import type { Seen } from "../../survey/finding";
import { findingsOf } from "../../survey/findings";
import { phases } from "../../survey/phase";
import type { StorageTraces } from "../../survey/raw";
import { costOf, renderCost, storageEstimates } from "../../survey/storage-estimates";
import { storagePlan, storageStepsToCome } from "../../survey/storage-plan";
import { storageAt } from "../../survey/storage-position";
import { mediaWorld } from "./cases/storage";
import { media, migration } from "./configs";
import { type Filled, source } from "./raws";

const nothing: StorageTraces = {
  ...{ tools: false, announced: null, begun: false, copied: false, checked: false, links: false },
  ...{ switched: false, switching: false, verified: false, cleaned: false },
};
const at = (t: Partial<StorageTraces>) =>
  storageAt(source((s) => (s.trunkline.storage = { ...nothing, ...t })));

test("where the media stand is told from what is on the server", () => {
  assert.equal(storageAt(undefined), "survey");
  assert.equal(storageAt(source()), "survey");
  assert.equal(at({}), "survey");
  assert.equal(at({ tools: true }), "prepare");
  assert.equal(at({ announced: 1 }), "prepare");
  assert.equal(at({ tools: true, begun: true }), "replicate");
  assert.equal(at({ begun: true, copied: true, checked: true }), "shift");
  assert.equal(at({ copied: true, switching: true }), "switch");
  assert.equal(at({ copied: true, links: true }), "switch");
  assert.equal(at({ switched: true }), "switch");
  assert.equal(at({ switched: true, verified: true }), "settle");
  assert.equal(at({ verified: true, checked: true }), "shift");
  assert.equal(at({ switched: true, verified: true, cleaned: true }), "retire");
});

test("the storage steps to come are those whose wanted state changes, without those that would do nothing", () => {
  const all = { prunes: true, ownHost: true, keepsLocal: false };
  const few = { prunes: false, ownHost: false, keepsLocal: true };
  assert.deepEqual(storageStepsToCome("survey", "retire", all), Object.keys(storagePlan));
  assert.deepEqual(storageStepsToCome("survey", "prepare", few), ["storage/tools", "storage/announce"]);
  assert.deepEqual(storageStepsToCome("shift", "settle", few), [
    ...["storage/links", "storage/switch", "storage/verify"],
  ]);
  assert.deepEqual(storageStepsToCome("switch", "shift", few), ["storage/switch", "storage/links"]);
  for (const phase of phases) assert.deepEqual(storageStepsToCome(phase, phase, all), []);
});

const storageOf = (config: Record<string, string> = {}) => migration(config, media).storage!;

test("a copy takes as long as the slower of its bytes and its files, and no longer without cache/", () => {
  const of = (change: (s: Filled) => void, config: Record<string, string> = {}, limit = 0) =>
    storageEstimates(["storage/copy"], source(change), storageOf(config), limit)[0]!;
  assert.deepEqual(
    of(() => undefined),
    {
      ...{ step: "storage/copy", seconds: 517, because: "20480 MiB at 40 MiB/s" },
    },
  );
  assert.equal(of(() => undefined, {}, 10).seconds, 2053);
  assert.equal(of(() => undefined, { mediaCache: "false" }).seconds, 133);
  const many = (s: Filled) => (s.media.classes = { cache: { bytes: 1, files: 4_000_000 } });
  assert.equal(of(many).because, "4000000 files at 400 files/s");
  assert.deepEqual(storageEstimates(["storage/tools"], undefined, storageOf(), 0), [
    { step: "storage/tools", seconds: 5, because: "" },
  ]);
});

test("costs are told at list prices with their month, and not at all for a store whose prices nobody knows", () => {
  const unknown = costOf(source(), storageOf());
  assert.deepEqual([unknown.requests, unknown.monthly], [40_120, undefined]);
  assert.match(renderCost(unknown), /about 40120 requests \(see your store's own prices\)/);
  const b2 = renderCost(costOf(source(), { ...storageOf(), store: "b2" }));
  assert.match(b2, /0\.00 USD; then 0\.13 USD a month \(list prices of 20\d\d-\d\d/);
  const s3 = costOf(
    source((s) => (s.media.classes = { cache: { bytes: 1e12, files: 1e6 } })),
    {
      ...storageOf(),
      store: "s3",
    },
  );
  assert.deepEqual([s3.once?.toFixed(2), s3.monthly], ["5.01", 23]);
});

const codes = (change: (s: Filled) => void, config: Record<string, string> = {}, more: Partial<Seen> = {}) =>
  findingsOf(mediaWorld(change, config, more))
    .filter((f) => f.code.startsWith("storage-"))
    .map((f) => f.code);

test("nothing is said on a server in good order, nor where the media stay, have moved, or go back", () => {
  assert.deepEqual(
    codes(() => undefined),
    [],
  );
  const broken = (s: Filled) => (s.mastodon.env.values["S3_MULTIPART_THRESHOLD"] = "15");
  assert.deepEqual(codes(broken), ["storage-multipart"]);
  assert.deepEqual(codes(broken, {}, { migration: migration() }), []);
  assert.deepEqual(codes(broken, {}, { storageAt: "switch" }), []);
  assert.deepEqual(codes(broken, { mediaPhase: "survey" }, { storageAt: "replicate" }), []);
});

test("what would do is not complained of", () => {
  const same = (s: Filled) =>
    Object.assign(s.mastodon.env.values, { S3_ENABLED: "true", S3_BUCKET: "social-media" });
  assert.deepEqual(codes(same), []);
  assert.deepEqual(
    codes((s) => {
      s.nginx.certificates = [];
      s.tools["certbot"] = "yes";
    }),
    [],
  );
  assert.deepEqual(
    codes((s) => (s.mastodon.env.values["S3_MULTIPART_THRESHOLD"] = "15728640")),
    [],
  );
  assert.deepEqual(
    codes((s) => (s.nginx.certificates = []), { mediaCdn: "given", mediaCdnHost: "cdn.example" }),
    [],
  );
});
