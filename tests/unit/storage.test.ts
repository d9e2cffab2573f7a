import assert from "node:assert/strict";
import { test } from "node:test";
import type { Raw, StorageTraces } from "../../survey/raw";
import { storagePlan } from "../../survey/storage-plan";
import { cloud, media } from "./configs";
import { named, type Registered, settingsOf, steps } from "./engine";
import { found, program } from "./program";
import { source, traces } from "./raws";

const order = Object.keys(storagePlan);
const zone = { "cloudflare:index/getZone:getZone": () => ({ zoneId: "zone" }) };
const none: StorageTraces = {
  ...{ tools: true, announced: null, begun: false, copied: false, checked: false, links: false },
  ...{ switched: false, switching: false, verified: false, cleaned: false },
};
const inBucket = (raw: Raw) =>
  (raw.trunkline.storage = { ...none, begun: true, switched: true, links: true });
const inChain = (list: Registered[]) =>
  steps(list)
    .map((r) => r.name)
    .filter((n) => n.includes("/") && !/^(source|target)\//.test(n));

/** The media alone, with no second server. */
const alone = (config: Record<string, string> = {}, change: Parameters<typeof program>[1] = {}) =>
  program(config, change, media, zone);

test("media alone: bucket, media host and storage steps in their order, and nothing of a server's move", async () => {
  const list = await alone();
  assert.deepEqual(
    list.filter((r) => r.type.startsWith("trunkline:")).map((r) => r.name),
    ["source", "bucket", "cdn", "storage"],
  );
  assert.deepEqual(inChain(list), order);
  assert.ok(named(list, "cdn-record").after.includes("source/scripts"));
  assert.ok(named(list, order[0] ?? "").after.includes("cdn-record"));
  for (const [i, name] of order.entries())
    if (i) assert.ok(named(list, name).after.includes(order[i - 1] ?? ""), name);
});

test("media alone, back: the same steps the other way round", async () => {
  const list = await alone({ phase: "replicate" }, { source: source(inBucket), storageAt: "switch" });
  assert.deepEqual(inChain(list), [...order].reverse());
  assert.equal(settingsOf(named(list, "storage/switch"))["WANT"], "absent");
  assert.equal(settingsOf(named(list, "storage/copy"))["WANT"], "present");
});

test("nothing is registered where neither the server nor the media have begun", async () => {
  assert.deepEqual(await alone({ phase: "survey" }), []);
});

test("every storage step is told the bucket, the media host and the choices", async () => {
  const told = settingsOf(named(await alone({ mediaPruneDays: "7" }), "storage/copy"));
  const {
    STORE,
    BUCKET,
    ENDPOINT,
    PATH_STYLE,
    PERMISSION,
    OBJECT_ACL,
    PUBLIC_URL,
    MEDIA_HOST,
    MEDIA_CDN,
    PRUNE_DAYS,
  } = told;
  assert.deepEqual(
    [
      STORE,
      BUCKET,
      ENDPOINT,
      PATH_STYLE,
      PERMISSION,
      OBJECT_ACL,
      PUBLIC_URL,
      MEDIA_HOST,
      MEDIA_CDN,
      PRUNE_DAYS,
    ],
    [
      ...["other", "social-media", "https://s3.store.example", "yes", "public-read", "yes"],
      ...["https://s3.store.example/social-media", "media.social.example", "nginx", "7"],
    ],
  );
  assert.deepEqual([told["ACCESS_KEY"], told["SECRET_KEY"]], ["app-key", "app-secret"]);
});

test("the media host is a CNAME to the instance where its nginx serves it, and is kept when the stack goes", async () => {
  const record = named(await alone(), "cdn-record");
  assert.deepEqual(record.inputs, {
    zoneId: "zone",
    name: "media.social.example",
    type: "CNAME",
    content: "social.example",
    ttl: 60,
    proxied: false,
  });
  assert.deepEqual([record.retainOnDelete, record.importId], [true, ""]);
});

test("a media host that is there is adopted as it is, and follows in the run after", async () => {
  const there = {
    ...{ name: "media.social.example", type: "CNAME" as const, values: ["old.example"], ttl: 300 },
    ...{ proxied: false, id: "zone/record-m", extra: { comment: "mine" } },
  };
  const record = async (change: Parameters<typeof program>[1]) => {
    const r = named(await alone({}, { mediaRecords: [there], ...change }), "cdn-record");
    return [r.inputs["content"], r.inputs["comment"], r.inputs["ttl"], r.importId];
  };
  assert.deepEqual(await record({}), ["old.example", "mine", 300, "zone/record-m"]);
  assert.deepEqual(await record({ storageAt: "prepare" }), ["social.example", "mine", 300, "zone/record-m"]);
});

test("a media host with addresses of its own gets no record", async () => {
  const a = { name: "media.social.example", type: "A" as const, values: ["198.18.0.10"] };
  const list = await alone({}, { mediaRecords: [{ ...a, ttl: 300, proxied: false, id: "z/m", extra: {} }] });
  assert.deepEqual(
    list.filter((r) => r.name === "cdn-record"),
    [],
  );
});

const { targetProvider, dnsProvider, dnsZone, ...mediaKeys } = media;
void [targetProvider, dnsProvider, dnsZone];
const both = (config: Record<string, string> = {}, change: Parameters<typeof program>[1] = {}) =>
  program(config, change, { ...cloud, ...mediaKeys }, zone);

test("with a server's move: the media go first, and the server moves without them", async () => {
  const list = await both();
  const names = inChain(list);
  assert.deepEqual(names.slice(0, order.length), order);
  assert.equal(names[order.length], "access/grant");
  assert.equal(settingsOf(named(list, "media/copy"))["MEDIA_DIR"], "");
  assert.notEqual(settingsOf(named(list, "storage/copy"))["MEDIA_DIR"], "");
});

test("with a server's move, back: the server goes first, and the media follow it", async () => {
  const list = await both(
    { phase: "replicate", mediaPhase: "replicate" },
    { source: source(traces.switch), ...found(), storageAt: "switch" },
  );
  const names = inChain(list);
  assert.deepEqual(names.slice(-order.length), [...order].reverse());
});
