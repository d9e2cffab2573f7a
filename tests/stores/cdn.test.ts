/** The lab's CDN: it keeps what it fetched, misses too, until that is stale or thrown away. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Clouds, startClouds } from "../../rehearsal/clouds";
import { Lab } from "../../rehearsal/lab";
import { run } from "../../rehearsal/lab/run";
import { type ObjectStore, startStores, type Stores } from "../../rehearsal/stores";

let lab: Lab, clouds: Clouds, stores: Stores, store: ObjectStore;

before(async () => {
  lab = await Lab.start();
  clouds = await startClouds({ dns: { address: "198.18.2.53" } });
  stores = await startStores({ dir: lab.dir, ca: lab.ca, kinds: ["other"] });
  stores.announce(clouds.api);
  store = stores.store("other");
  await store.makeBucket("media", { publicRead: true });
  clouds.api.addZone({
    provider: "cloudflare",
    name: "social.example",
    records: [{ name: "media.social.example", type: "CNAME", content: "d1.cloudfront.net" }],
  });
  const origin = store.publicUrl("media");
  await stores.cdn.serve(["d1.cloudfront.net", "media.social.example"], { origin, keepSeconds: { 404: 10 } });
});
after(async () => {
  await stores?.stop();
  await clouds?.stop();
  await lab?.stop();
});

async function get(path: string, ...args: string[]) {
  const url = `https://media.social.example${path}`;
  const { stdout } = await run(["curl", "-sS", "-i", "--cacert", lab.ca.certPath, ...args, url]);
  const [head = "", body = ""] = stdout.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), hit: /x-cache: HIT/i.test(head), head, body };
}

describe("the CDN", () => {
  it("fetches once under the alias of a site, with the site's certificate, and then answers by itself", async () => {
    await store.put("media", "a/b.png", "picture");
    const first = await get("/a/b.png");
    assert.deepEqual([first.status, first.hit, first.body], [200, false, "picture"]);
    await store.delete("media", "a/b.png");
    const second = await get("/a/b.png?other");
    assert.deepEqual([second.status, second.hit, second.body], [200, true, "picture"]);
    stores.cdn.purge("media.social.example", "/a/b.png");
    assert.equal((await get("/a/b.png")).status, 404);
  });

  it("keeps a miss as long as it was told, although the object is there by then", async () => {
    assert.equal((await get("/late.png")).status, 404);
    await store.put("media", "late.png", "late");
    const stale = await get("/late.png");
    assert.deepEqual([stale.status, stale.hit], [404, true]);
    const end = Date.now() + 60_000;
    let last = stale;
    while (last.status === 404 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      last = await get("/late.png");
    }
    assert.equal(last.body, "late");
  });

  it("serves a part of a file, and only the head where that is asked for", async () => {
    await store.put("media", "film.mp4", "0123456789");
    const part = await get("/film.mp4", "-H", "Range: bytes=2-4");
    assert.deepEqual([part.status, part.body], [206, "234"]);
    assert.match((await get("/film.mp4", "-I")).head, /content-length: 10/i);
  });

  it("does not take what belongs to nobody", async () => {
    stores.cdn.forget("media.social.example");
    await assert.rejects(get("/a/b.png"), /alert|SSL|unrecognized/i);
  });
});
