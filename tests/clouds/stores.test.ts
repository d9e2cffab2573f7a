/** The program's own buckets and CDNs on the real engine, against the stand-in vendors; B2 and bunny.net by their HTTP APIs. */
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Clouds, Memory, startClouds } from "../../rehearsal/clouds";
import { findPulumi, Project } from "./project";

const pulumi = findPulumi();
const repository = path.join(__dirname, "..", "..");
const zone = "social.example";
const host = `media.${zone}`;
const account = "0123456789abcdef0123456789abcdef";

/** A storage as the configuration gives it. */
function given(storage: Record<string, unknown>): string {
  return JSON.stringify({
    ...{
      phase: "settle",
      bucket: "social-media",
      host,
      region: "",
      endpoint: "",
      accessKey: "",
      secretKey: "",
    },
    ...{ account: "", objectAcl: false, cache: true, keepLocal: true, sample: 1 },
    ...{ pruneDays: 0, pruneCardDays: 0, leadDays: 0 },
    ...storage,
  });
}

const dns = JSON.stringify({ provider: "cloudflare", zone, names: [], ttl: 60 });

/** A program that makes one bucket and its CDN, as index.ts does. */
function program(storage: Record<string, unknown>, used = false, found: { id: string }[] = []): string {
  return `
import { MediaBucket } from "${repository}/components/bucket";
import { MediaCdn } from "${repository}/components/cdn";
import { chain } from "${repository}/components/chain";
import { madeAs } from "${repository}/components/kept-media";
const storage = ${given(storage)} as any;
const used = ${String(used)};
const bucket = new MediaBucket("bucket", { storage, domain: "${zone}", used });
const cdn = new MediaCdn("cdn", { storage, dns: ${dns} as any, bucket, webDomain: "${zone}", found: ${JSON.stringify(found)} as any, adopting: ${String(found.length > 0)}, foundRecords: ${JSON.stringify(found.map((r) => r.id))}, used });
chain([bucket, cdn]);
export const { endpoint, region, publicUrl, accessKey, secretKey } = bucket;
export const record = cdn.record;
export const mediaMade = madeAs(storage);
`;
}

/** What index.ts leaves of it in the stack at survey. */
function atSurvey(storage: Record<string, unknown>): string {
  return `
import { keptMedia } from "${repository}/components/kept-media";
export = () => keptMedia({ storage: ${given(storage)}, dns: ${dns}, domain: "${zone}" } as any);
`;
}

describe("buckets and CDNs through the CLI", { skip: !pulumi && "the pulumi CLI is not installed" }, () => {
  let clouds: Clouds, memory: Memory, project: Project;

  before(async () => {
    memory = new Memory();
    clouds = await startClouds({ stores: memory });
    clouds.api.addZone({ provider: "cloudflare", name: zone });
    const providers = { stores: path.join(repository, "providers/stores") };
    project = new Project(pulumi ?? "", clouds.env, providers);
    const keys = { "aws:accessKey": "AKIAADMIN", "aws:secretKey": "admin", "cloudflare:apiToken": "token" };
    for (const [key, value] of Object.entries(keys))
      await project.run("config", "set", "--secret", key, value);
  });
  after(async () => {
    project?.remove();
    await clouds?.stop();
  });

  async function up(source: string, ...args: string[]): Promise<string> {
    project.program(source);
    const { code, output } = await project.up(...args);
    assert.equal(code, 0, output);
    return output;
  }

  async function outputs(): Promise<Record<string, string>> {
    const { output } = await project.run("stack", "output", "--json", "--show-secrets");
    return JSON.parse(output) as Record<string, string>;
  }

  /** What a run did, and to what. */
  function changed(output: string): string[] {
    const done = /^ *\S+ +\S+:\S+ (\S+) (created|imported|updated|replaced|deleted)\b/gm;
    return [...output.matchAll(done)].map(([, name, did]) => `${did} ${name}`).sort();
  }

  /** Goes on from an empty stack and an empty world. */
  async function destroyed(): Promise<void> {
    const { code, output } = await project.run("destroy", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
  }

  it("s3 and cloudfront: ACLs by object, a key for this bucket, a certificate before the distribution", async () => {
    const s3 = program({
      store: "s3",
      region: "eu-central-1",
      cdn: { kind: "cloudfront", host: "", key: "" },
    });
    await up(s3);
    const { accessKey = "", publicUrl, record } = await outputs();
    assert.equal(publicUrl, "https://social-media.s3.eu-central-1.amazonaws.com");
    assert.match(record ?? "", /^media\.social\.example CNAME d\w+\.cloudfront\.net$/);
    const store = memory.store("s3");
    const settings = store.buckets.get("social-media");
    assert.deepEqual(
      [settings?.acl, settings?.blockPublicAcls, settings?.publicRead],
      ["object", false, false],
    );
    const { rights, bucket } = store.keys.get(accessKey) ?? {};
    assert.deepEqual([bucket, rights], ["social-media", ["get", "put", "acl", "delete", "list"]]);
    const site = memory.sites.get(host);
    assert.deepEqual([site?.origin, site?.keepSeconds?.[403], site?.keepSeconds?.[404]], [publicUrl, 0, 0]);
    assert.equal(site?.headers?.["access-control-allow-origin"], "*");
    await up(s3, "--expect-no-changes");
    await destroyed();
    assert.ok(store.hasBucket("social-media"), "media were deleted with the stack");
    assert.ok(memory.sites.has(host), "the media host was taken down with the stack");
    assert.ok(!store.keys.has(accessKey), "a key that nobody uses was left behind");
  });

  it("r2 and its own domain: the token's hash is the key, for this bucket alone", async () => {
    const r2 = program({ store: "r2", account, host: `r2.${zone}`, cdn: { kind: "r2", host: "", key: "" } });
    await up(r2);
    const { accessKey = "", secretKey, endpoint, region } = await outputs();
    assert.deepEqual([endpoint, region], [`https://${account}.r2.cloudflarestorage.com`, "auto"]);
    const { bucket, secretKey: real } = memory.store("r2").keys.get(accessKey) ?? {};
    assert.deepEqual([bucket, real], ["social-media", secretKey]);
    assert.ok(memory.sites.has(`r2.${zone}`));
    await up(r2, "--expect-no-changes");
    await destroyed();
    assert.ok(memory.store("r2").hasBucket("social-media"));
  });

  /** A host's records as the program's look-up gives them. */
  function recordsOf(name: string): { id: string }[] {
    const { id: zoneId } = clouds.api.state.zones.find((z) => z.name === zone) ?? { id: "" };
    return clouds.api.records(name).map((r) => ({
      ...{ name, type: r.type, values: [r.content], ttl: r.ttl, proxied: false },
      ...{ id: `${zoneId}/${r.id}`, extra: {} },
    }));
  }

  const b2 = () => {
    const { accessKey, secretKey } = clouds.api.b2MasterKey();
    const cdn = { kind: "bunny", host: "", key: clouds.api.bunnyApiKey() };
    return { store: "b2", host: `b2.${zone}`, accessKey, secretKey, cdn };
  };

  it("b2 and bunny.net: public as a whole, versions do not pile up, no secret in the plain state", async () => {
    const storage = b2();
    // Busy vendors are asked again.
    clouds.api.fail({ package: "b2", kind: "429", times: 2 });
    clouds.api.fail({ package: "bunny", kind: "500", times: 1 });
    await up(program(storage));
    const { accessKey = "", secretKey = "", endpoint, region, publicUrl, record } = await outputs();
    assert.deepEqual([endpoint, region], ["https://s3.eu-central-003.backblazeb2.com", "eu-central-003"]);
    assert.equal(publicUrl, "https://social-media.s3.eu-central-003.backblazeb2.com");
    assert.equal(record, `b2.${zone} CNAME b2-social-example.b-cdn.net`);
    const store = memory.store("b2");
    assert.equal(store.buckets.get("social-media")?.publicRead, true);
    assert.deepEqual(store.keys.get(accessKey)?.rights, ["list", "get", "put", "delete"]);
    assert.deepEqual([memory.sites.get(`b2.${zone}`)?.origin], [publicUrl]);
    const [bucket] = clouds.api.state.things.filter((t) => t.kind === "b2-bucket");
    assert.equal(
      (bucket?.inputs["lifecycleRules"] as { daysFromHidingToDeleting: number }[])[0]
        ?.daysFromHidingToDeleting,
      1,
    );
    for (const secret of [storage.secretKey, storage.cdn.key, secretKey])
      assert.ok(!project.state().includes(secret), `${secret.slice(0, 6)}… is readable in the state`);
    await up(program(storage), "--expect-no-changes");
    await destroyed();
    assert.ok(store.hasBucket("social-media"));
    assert.ok(!store.keys.has(accessKey), "a key that nobody uses was left behind");
    // It is this instance's own bucket that is found again, and its record.
    await up(program(storage, false, recordsOf(storage.host)));
    assert.equal(clouds.api.state.things.filter((t) => t.kind === "b2-bucket").length, 1);
    await destroyed();
  });

  it("at survey a stack keeps what it has made once, without the key, and goes forward with it again", async () => {
    const cdn = { kind: "cloudfront", host: "", key: "" };
    const s3 = { store: "s3", bucket: "kept-media", host: `kept.${zone}`, region: "eu-central-1", cdn };
    const store = memory.store("s3");
    await up(atSurvey(s3));
    assert.ok(!store.hasBucket(s3.bucket), "a stack that has never gone forward made a bucket");
    await up(program(s3));
    const { accessKey = "" } = await outputs();

    const key = ["bucket-key", "bucket-user", "bucket-user-policy"];
    assert.deepEqual(
      changed(await up(atSurvey(s3))),
      [...key, "cdn-record"].map((name) => `deleted ${name}`),
    );
    assert.ok(!store.keys.has(accessKey), "a key that nobody uses was left behind");
    await up(atSurvey(s3), "--expect-no-changes");

    const again = await up(program(s3, false, recordsOf(s3.host)));
    assert.deepEqual(changed(again), [...key.map((name) => `created ${name}`), "imported cdn-record"]);
    assert.equal(store.keys.get((await outputs())["accessKey"] ?? "")?.bucket, s3.bucket);

    // A bucket that the configuration names no more is the store's.
    await up(atSurvey({ ...s3, bucket: "another-media" }));
    assert.deepEqual(
      [s3.bucket, "another-media"].map((b) => store.hasBucket(b)),
      [true, false],
    );
    assert.ok(memory.sites.has(s3.host), "the media host was taken down");
    assert.doesNotMatch((await project.run("stack", "--show-urns")).output, /aws:/);
  });

  it("a bucket that the stack does not know comes into it by the command that the failure tells", async () => {
    const cdn = { kind: "nginx", host: "", key: "" };
    const s3 = { store: "s3", bucket: "left-media", host: `left.${zone}`, region: "eu-central-1", cdn };
    await up(program(s3));
    // The bucket stays, and the host's record.
    await destroyed();
    const { code, output } = await project.up();
    assert.notEqual(code, 0);
    const words = /^ *pulumi (import aws:s3\/bucket:Bucket .*)$/m.exec(output)?.[1] ?? "";
    const imported = await project.run(...words.replaceAll("'", "").split(" "));
    assert.equal(imported.code, 0, `${words}: ${imported.output}`);
    const made = changed(await up(program(s3, false, recordsOf(s3.host))));
    assert.ok(made.includes("created bucket-access") && !made.includes("created bucket-s3"), made.join());
    await destroyed();

    const r2 = { store: "r2", account, bucket: "left-media", host: `left-r2.${zone}` };
    await up(program({ ...r2, cdn: { kind: "r2", host: "", key: "" } }));
    await destroyed();
    assert.match(
      (await project.up()).output,
      new RegExp(
        `pulumi import cloudflare:index/r2Bucket:R2Bucket bucket-r2 '${account}/left-media/default'`,
      ),
    );
    await destroyed();
  });

  it("nothing that the app uses can be destroyed", async () => {
    const storage = { ...b2(), bucket: "another-media", host: `used.${zone}` };
    await up(program(storage, true));
    const { code, output } = await project.run("destroy", "--yes", "--skip-preview");
    assert.notEqual(code, 0);
    assert.match(output, /protect/);
    await up(program(storage));
    await destroyed();
  });

  it("a bucket of somebody else's is refused, with what to do", async () => {
    project.program(program({ ...b2(), bucket: "backups" }));
    const { code, output } = await project.up();
    assert.notEqual(code, 0);
    assert.match(
      output,
      /there is a bucket backups already, in another account: choose another name \(mediaBucket\)/,
    );
  });
});
