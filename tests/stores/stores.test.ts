/** The lab's object stores: held to S3, and each to what its vendor does differently, by a client that is not ours. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Clouds, startClouds } from "../../rehearsal/clouds";
import { Lab } from "../../rehearsal/lab";
import { baseImage } from "../../rehearsal/lab/rootfs";
import { run } from "../../rehearsal/lab/run";
import {
  type Credentials,
  type ObjectStore,
  type StoreKind,
  startStores,
  type Stores,
} from "../../rehearsal/stores";
import { signed } from "../../rehearsal/stores/sign";

let lab: Lab, clouds: Clouds, stores: Stores, client: string;

before(async () => {
  lab = await Lab.start();
  clouds = await startClouds({ dns: { address: "198.18.2.53" } });
  stores = await startStores({ dir: lab.dir, ca: lab.ca });
  stores.announce(clouds.api);
  client = path.join(await baseImage(), "usr/bin/rclone");
  writeFileSync(file("one.png"), "one picture");
});
after(async () => {
  await stores?.stop();
  await clouds?.stop();
  await lab?.stop();
});

const file = (name: string) => path.join(lab.dir, name);

/** The hosts' rclone, with a remote `store:` of this key. */
async function rclone(store: ObjectStore, who: Credentials, args: string, env: Record<string, string> = {}) {
  const vars = { type: "s3", provider: "Other", endpoint: store.endpoint, region: store.region, ...env };
  const settings = { ...vars, access_key_id: who.accessKey, secret_access_key: who.secretKey };
  const exports = Object.entries(settings).map(
    ([k, v]) => `export RCLONE_CONFIG_STORE_${k.toUpperCase()}=${v}`,
  );
  const script = `${exports.join("\n")}\n${client} --config= --ca-cert ${lab.ca.certPath} --retries 1 --low-level-retries 1 --s3-no-check-bucket ${args}`;
  // Nothing of this machine's own settings, such as a proxy or a bundle of authorities.
  return run(["bash", "-euc", script], { allowFail: true, env: { PATH: process.env.PATH ?? "" } });
}

/** What anyone gets at an address. */
async function anyone(url: string, ...args: string[]) {
  const { stdout } = await run([
    "curl",
    "-sS",
    "--cacert",
    lab.ca.certPath,
    "-o",
    file("body"),
    "-D",
    "-",
    ...args,
    url,
  ]);
  const body = readFileSync(file("body"), "utf8");
  return { status: Number(stdout.split(" ")[1]), headers: stdout.toLowerCase(), body };
}

async function bucketWithKey(
  kind: StoreKind,
  name: string,
  ...settings: Parameters<ObjectStore["configure"]>[1][]
) {
  const store = stores.store(kind);
  await store.makeBucket(name, settings[0]);
  return { store, key: await store.makeKey({ bucket: name }) };
}

describe("a plain store", () => {
  it("keeps what a client puts, with its headers, and lets everyone read what is public and nothing else", async () => {
    const { store, key } = await bucketWithKey("other", "plain");
    const up = await rclone(
      store,
      key,
      `copyto ${file("one.png")} store:plain/a/b/one.png --header-upload 'Cache-Control: public, max-age=315576000, immutable'`,
      { acl: "public-read" },
    );
    assert.equal(up.code, 0, up.stderr);
    await rclone(store, key, `copyto ${file("one.png")} store:plain/a/b/two.png`, { acl: "private" });
    const open = await anyone(`${store.publicUrl("plain")}/a/b/one.png`);
    assert.equal(open.status, 200);
    assert.equal(open.body, "one picture");
    assert.match(open.headers, /cache-control: public, max-age=315576000, immutable/);
    assert.match(open.headers, /content-type: image\/png/);
    for (const path of ["/a/b/two.png", "/a/b/none.png", "", "/?list-type=2"])
      assert.equal((await anyone(`${store.publicUrl("plain")}${path}`)).status, 403, path);
    const keys = [];
    for await (const { key: name, bytes } of store.objects("plain")) keys.push(`${name} ${bytes}`);
    assert.deepEqual(keys, ["a/b/one.png 11", "a/b/two.png 11"]);
  });

  it("answers under the bucket's own name too", async () => {
    const { store } = await bucketWithKey("other", "by-name");
    const url = "https://by-name.s3.store.example/x";
    assert.equal((await anyone(url)).status, 403);
    await store.configure("by-name", { publicRead: true });
    await store.put("by-name", "x", "there");
    assert.equal((await anyone(url)).body, "there");
  });

  it("changes an object's ACL afterwards, and forgets it when the object is overwritten", async () => {
    const { store, key } = await bucketWithKey("other", "acls");
    const { S3 } = s3();
    const put = (query: string, acl: string, body = "") =>
      S3(store, key, "PUT", `/acls/f${query}`, body, { "x-amz-acl": acl });
    assert.equal(await put("", "private", "text"), 200);
    assert.equal((await anyone(`${store.publicUrl("acls")}/f`)).status, 403);
    assert.equal(await put("?acl", "public-read"), 200);
    assert.equal((await anyone(`${store.publicUrl("acls")}/f`)).status, 200);
    assert.equal(await put("?acl", "private"), 200);
    assert.equal((await anyone(`${store.publicUrl("acls")}/f`)).status, 403);
    await put("?acl", "public-read");
    assert.equal(await put("", "private", "text"), 200);
    assert.equal((await anyone(`${store.publicUrl("acls")}/f`)).status, 403);
    const stranger = await store.makeKey({ bucket: "acls", rights: ["get"] });
    assert.equal(await S3(store, stranger, "PUT", "/acls/f?acl", "", { "x-amz-acl": "public-read" }), 403);
  });

  it("takes an upload in parts with its ACL", async () => {
    const { store, key } = await bucketWithKey("other", "parts");
    const video = randomBytes(12_000_000);
    writeFileSync(file("video.mp4"), video);
    const up = await rclone(
      store,
      key,
      `copyto ${file("video.mp4")} store:parts/video.mp4 --s3-upload-cutoff 5M --s3-chunk-size 5M`,
      { acl: "public-read" },
    );
    assert.equal(up.code, 0, up.stderr);
    await anyone(`${store.publicUrl("parts")}/video.mp4`);
    assert.ok(readFileSync(file("body")).equals(video));
  });

  it("gives a key the rights that it was made with, until it is revoked", async () => {
    const { store, key } = await bucketWithKey("other", "rights");
    const up = await rclone(store, key, `copyto ${file("one.png")} store:rights/one.png`);
    assert.equal(up.code, 0, up.stderr);
    const reader = await store.makeKey({ bucket: "rights", rights: ["get"] });
    const { S3, said } = s3();
    assert.equal(await S3(store, reader, "GET", "/rights/one.png", "", {}), 200);
    assert.match(said(), /^one picture/);
    assert.notEqual((await rclone(store, reader, "lsf store:rights")).code, 0);
    assert.notEqual((await rclone(store, reader, `copyto ${file("one.png")} store:rights/two.png`)).code, 0);
    await store.makeBucket("not-yours");
    assert.notEqual((await rclone(store, key, `copyto ${file("one.png")} store:not-yours/x.png`)).code, 0);
    await store.deleteKey(key.accessKey);
    const gone = await rclone(store, key, "lsf store:rights");
    assert.match(gone.stderr, /InvalidAccessKeyId|AccessDenied|Forbidden/);
  });

  it("answers CORS as its bucket says", async () => {
    const { store } = await bucketWithKey("other", "cors", {
      publicRead: true,
      cors: [{ origins: ["https://social.example"], methods: ["GET", "HEAD"] }],
    });
    await store.put("cors", "x", "there");
    const from = (origin: string) => anyone(`${store.publicUrl("cors")}/x`, "-H", `Origin: ${origin}`);
    assert.match(
      (await from("https://social.example")).headers,
      /access-control-allow-origin: https:\/\/social\.example/,
    );
    assert.doesNotMatch((await from("https://else.example")).headers, /access-control-allow-origin/);
  });
});

describe("what the vendors do differently", () => {
  const put = async (kind: StoreKind, headers: Record<string, string>, settings = {}) => {
    const name = `q-${kind}-${Object.keys(headers).length}-${Math.random().toString(36).slice(2, 8)}`;
    const { store, key } = await bucketWithKey(kind, name, settings);
    const { S3, said } = s3();
    const status = await S3(store, key, "PUT", `/${name}/x`, "text", headers);
    return `${status} ${/<Code>(\w+)/.exec(said())?.[1] ?? ""}`.trim();
  };
  it("AWS: no ACLs in a new bucket, none that are public while they are blocked, and a right of their own", async () => {
    assert.equal(await put("s3", {}), "200");
    assert.equal(await put("s3", { "x-amz-acl": "public-read" }), "400 AccessControlListNotSupported");
    assert.equal(await put("s3", { "x-amz-acl": "public-read" }, { acl: "object" }), "403 AccessDenied");
    assert.equal(
      await put("s3", { "x-amz-acl": "public-read" }, { acl: "object", blockPublicAcls: false }),
      "200",
    );
  });
  it("R2: no ACLs and no checksums of its clients' own", async () => {
    assert.equal(await put("r2", {}), "200");
    assert.equal(await put("r2", { "x-amz-acl": "public-read" }), "501 NotImplemented");
    assert.equal(await put("r2", { "x-amz-sdk-checksum-algorithm": "CRC32" }), "501 NotImplemented");
  });
  it("B2: only the bucket's own ACL, no checksums, and old versions stay", async () => {
    assert.equal(await put("b2", {}), "200");
    assert.equal(await put("b2", { "x-amz-acl": "public-read" }), "400 InvalidArgument");
    assert.equal(await put("b2", { "x-amz-acl": "public-read" }, { publicRead: true }), "200");
    assert.equal(await put("b2", { "x-amz-sdk-checksum-algorithm": "CRC32" }), "400 InvalidArgument");
  });
});

describe("accidents at a store", () => {
  it("happen as often as wished, and the store holds nothing that was not whole", async () => {
    const { store, key } = await bucketWithKey("other", "accidents");
    const once = (name: string, ...more: string[]) =>
      rclone(store, key, ["copyto", file("one.png"), `store:accidents/${name}`, ...more].join(" "));
    for (const [kind, said] of [
      ["slowdown", /SlowDown/],
      ["forbidden", /InvalidAccessKeyId|Forbidden/],
      ["timeout", /timeout|deadline/],
      ["truncate", /EOF|reset|broken pipe|closed network connection/],
    ] as const) {
      store.fail({ kind, method: "PUT", match: new RegExp(`^${kind}$`) });
      const failed = await once(kind, ...(kind === "timeout" ? ["--timeout 2s"] : []));
      assert.notEqual(failed.code, 0, kind);
      assert.match(failed.stderr, said);
      assert.equal(store.gate.faults.hit[kind], 1);
    }
    for await (const { key: name } of store.objects("accidents")) assert.fail(`${name} is there`);
    assert.equal((await once("slowdown")).code, 0);
  });

  it("a clock that is wrong by twenty minutes", async () => {
    const { store, key } = await bucketWithKey("other", "clock");
    store.gate.clockAheadMs = 20 * 60_000;
    assert.match((await rclone(store, key, "lsf store:clock")).stderr, /RequestTimeTooSkewed|Forbidden/);
    const { headers } = await anyone(store.endpoint);
    const told = Date.parse(/^date: (.*)$/m.exec(headers)?.[1] ?? "");
    assert.ok(told - Date.now() > 19 * 60_000, "its answers bear its own date");
    store.heal();
    assert.equal((await rclone(store, key, "lsf store:clock")).code, 0);
  });
});

/** Single calls, signed on this side and sent through the store's front door. */
function s3() {
  let said = "";
  const S3 = async (
    store: ObjectStore,
    who: Credentials,
    method: string,
    target: string,
    body: string,
    headers: Record<string, string>,
  ) => {
    const url = new URL(store.endpoint + target);
    const sent = Object.entries(signed({ method, url, headers, body }, who, store.region));
    const args = [
      "-sS",
      "-X",
      method,
      "--data-binary",
      body,
      "-w",
      "\n%{http_code}",
      ...sent.flatMap(([k, v]) => ["-H", `${k}: ${v}`]),
    ];
    const { stdout } = await run([
      "curl",
      "--cacert",
      lab.ca.certPath,
      ...args,
      "-H",
      "Content-Type:",
      url.href,
    ]);
    said = stdout;
    return Number(stdout.trim().split("\n").at(-1));
  };
  return { S3, said: () => said };
}
