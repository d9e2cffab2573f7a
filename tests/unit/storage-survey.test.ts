import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Seen } from "../../survey/finding";
import { findingsOf } from "../../survey/findings";
import { phases } from "../../survey/phase";
import type { StorageTraces } from "../../survey/raw";
import { render } from "../../survey/render";
import { costOf, prices, storageEstimates, usd } from "../../survey/storage-estimates";
import { storagePlan, storageStepsToCome } from "../../survey/storage-plan";
import { storageAt } from "../../survey/storage-position";
import { mediaWorld } from "./cases/storage";
import { media, migration, storesConfig } from "./configs";
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
  const b2 = costOf(source(), { ...storageOf(), store: "b2" });
  assert.deepEqual([b2.once, usd(b2.monthly ?? 0)], [0, "0.13 USD"]);
  assert.match(
    b2.note,
    /^the store's list of 2026-04; sending to people: 0\.01 USD a GB, free up to three times/,
  );
  const s3 = costOf(
    source((s) => (s.media.classes = { cache: { bytes: 1e12, files: 1e6 } })),
    {
      ...storageOf(),
      store: "s3",
    },
  );
  assert.deepEqual([s3.once?.toFixed(2), s3.monthly], ["5.01", 23]);
});

test("sums of money are never said to be nothing where they are something", () => {
  assert.deepEqual([0, 0.004, 0.005, 0.99, 0.996, 4.96, 23.4].map(usd), [
    ...["0.00 USD", "less than 0.01 USD", "0.01 USD", "0.99 USD", "1.0 USD", "5.0 USD", "23 USD"],
  ]);
});

test("the comparison of the stores has the same prices, and their month", () => {
  const page = readFileSync(path.join(__dirname, "../../docs/stores.md"), "utf8");
  for (const [name, { storage, egress, writes, reads, date }] of [
    ...([
      ["AWS S3 Standard", prices.s3],
      ["Cloudflare R2", prices.r2],
      ["Backblaze B2", prices.b2],
    ] as const),
  ]) {
    const row = page.split("\n").find((line) => line.startsWith(`| ${name}`) && line.includes("202")) ?? "";
    const cells = row.split("|").map((cell) => cell.trim());
    const told = cells.slice(2, 6).map((cell) => Number(/^[\d.]+/.exec(cell)?.[0] ?? 0));
    assert.deepEqual(told, [storage, egress, writes, reads], name);
    assert.equal(new Date(`${cells[6]} 1 UTC`).toISOString().slice(0, 7), date, name);
  }
});

test("the preview says what is made at each store, under which name, how far, and what it costs", () => {
  const of = (store: keyof typeof storesConfig, more: Partial<Seen> = {}) => {
    const world = mediaWorld(() => undefined, {}, { migration: migration({}, storesConfig[store]), ...more });
    return render(world, [], [], { cost: costOf(world.source, world.migration.storage!) });
  };
  const s3 = of("s3");
  assert.match(s3, /bucket +social-media at AWS S3, eu-central-1: made by this stack, never deleted by it/);
  assert.match(
    s3,
    /the app's key +of the IAM user mastodon-social-media, .* in this bucket, and nothing else/,
  );
  assert.match(
    s3,
    /media host +media\.social\.example by CloudFront, .*; its CNAME goes into social\.example$/m,
  );
  assert.match(s3, /stand at +survey, go to settle$/m);
  assert.match(s3, /then +0\.49 USD a month/);
  assert.match(of("r2"), /Cloudflare R2: .*; without ACLs, so private files stay on the disk/);
  assert.match(of("r2"), /media host .* Cloudflare makes its record and its certificate$/m);
  assert.match(of("b2"), /Backblaze B2: .*; public as a whole/);
  assert.match(of("b2"), /media host .* a pull zone at bunny\.net/);
  assert.doesNotMatch(s3, /target|not there yet/, "a second server, where none is to be");
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

test("a media folder without a file is counted like any other, and its size is not guessed from the rows", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "trunkline-media-"));
  const program = `
import json, media, probe, sys
answer = {"exists": True, "store": "local", "realDir": sys.argv[1], "bytes": None, "files": None, "classes": {}}
media.take(answer, media.count(sys.argv[1], 3))
media.from_rows(answer, {}, ["false"], "mastodon")
print(json.dumps([answer["files"], answer["bytes"], probe.unread]))`;
  const PYTHONPATH = ["survey", "lib", "media"].map((name) => path.join(__dirname, "../../scripts", name));
  const env = { ...process.env, PYTHONPATH: PYTHONPATH.join(":") };
  const said = execFileSync("python3", ["-B", "-c", program, folder], { env, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.deepEqual(JSON.parse(said), [0, 0, []]);
});
