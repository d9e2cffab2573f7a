import assert from "node:assert/strict";
import dns from "node:dns";
import { after, afterEach, before, describe, mock, test } from "node:test";
import { Bucket } from "../../rehearsal/mastodon/app/bucket";
import type { Config } from "../../rehearsal/mastodon/app/config";
import { fileUrl } from "../../rehearsal/mastodon/app/file-url";
import { StorageAway } from "../../rehearsal/mastodon/app/storage";
import { contentSecurityPolicy, mediaHosts } from "../../rehearsal/mastodon/web/policy";
import * as facts from "./storage-facts";
import { Store } from "./store";

const config = (env: Record<string, string>): Config => ({
  env,
  root: "/",
  localDomain: "social.example",
  webDomain: "social.example",
  hosts: ["social.example"],
  mediaRoot: "/nowhere",
  mediaUrl: env.PAPERCLIP_ROOT_URL ?? "https://social.example/system",
});

describe("where files are and who may show them", () => {
  for (const f of facts.addresses)
    test(`${f.fact} (${f.source})`, () => assert.equal(fileUrl(config(f.environment), facts.key), f.url));
  test("a bucket that is not named is missed at the first use", () => {
    assert.throws(() => fileUrl(config({ S3_ENABLED: "true" }), facts.key), /missing required :bucket/);
  });
  for (const f of facts.mediaHosts)
    test(`${f.fact} (${f.source})`, () => {
      assert.deepEqual(mediaHosts(config(f.environment)), f.hosts);
      const directives = contentSecurityPolicy(config(f.environment)).split("; ");
      for (const kind of ["img-src", "media-src", "connect-src"])
        assert.ok(
          directives.some((d) => d.startsWith(kind) && d.includes(` ${f.hosts.join(" ")}`)),
          kind,
        );
    });
});

describe("a bucket is asked as the real one asks", () => {
  const store = new Store();
  let endpoint: string;
  before(async () => {
    endpoint = await store.start();
    // Not every system knows that all of .localhost is this machine.
    type Found = (e: null, found: { address: string; family: number }[]) => void;
    mock.method(dns, "lookup", (_: string, __: object, found: Found) =>
      found(null, [{ address: "127.0.0.1", family: 4 }]),
    );
  });
  afterEach(() => {
    assert.equal(store.answers.length, 0, "everything that was to go wrong went wrong");
    store.asked.length = 0;
  });
  after(() => {
    mock.restoreAll();
    store.stop();
  });

  const bucket = (environment: Record<string, string> = {}) =>
    new Bucket({
      ...{ S3_ENABLED: "true", S3_BUCKET: "social-media", S3_ENDPOINT: endpoint, S3_REGION: "eu-1" },
      ...{ AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret", ...environment },
    });
  const bytes = Buffer.from("a picture of sixteen bytes and more");
  // The SDK of JavaScript names each operation in the query, and writes `acl` as `acl=`; Ruby's does neither.
  const shown = (path: string) => path.replace(/[?&]x-id=\w+/, "").replace(/=$/, "");
  const kinds = () => store.asked.map((a) => `${a.method} ${shown(a.path).replace("/social-media", "")}`);
  const plain = `PUT /${facts.key}`;

  for (const f of facts.uploads)
    test(`${f.fact} (${f.source})`, async () => {
      await bucket(f.environment).put(facts.key, bytes, f.archive);
      const [first] = store.asked;
      assert.equal(first?.method, f.sent.method);
      assert.equal(shown(first?.path ?? ""), f.sent.path);
      for (const [name, value] of Object.entries(f.sent.headers))
        assert.equal(first?.headers[name], value, name);
      const style = f.environment.S3_OVERRIDE_PATH_STYLE ? "social-media.localhost" : "localhost";
      assert.equal(first?.host.split(":")[0], style);
      assert.match(String(first?.headers.authorization), /AWS4-HMAC-SHA256 Credential=id\/\d+\/eu-1\/s3\//);
    });

  test("a bucket that does not exist is made (kt-paperclip, NoSuchBucket)", async () => {
    store.answers.push([404, "NoSuchBucket"]);
    await bucket().put(facts.key, bytes);
    assert.deepEqual(kinds(), [plain, "PUT /", plain]);
  });

  test("SlowDown is waited for, anything else is an error at once (kt-paperclip)", async () => {
    store.answers.push([503, "SlowDown"]);
    const began = Date.now();
    await bucket().put(facts.key, bytes);
    assert.ok(Date.now() - began >= 1000);
    store.answers.push([403, "AccessDenied"]);
    await assert.rejects(bucket().put(facts.key, bytes), { name: "AccessDenied" });
    assert.deepEqual(kinds(), [plain, plain, plain]);
  });

  test("S3_RETRY_LIMIT is 0: an error of the store is tried again by nobody (4.3)", async () => {
    store.answers.push([500, "InternalError"], [500, "InternalError"]);
    await assert.rejects(bucket().put(facts.key, bytes), { name: "InternalError" });
    await bucket({ S3_RETRY_LIMIT: "1" }).put(facts.key, bytes);
    assert.equal(store.asked.length, 3);
  });

  test("a store that says nothing for S3_READ_TIMEOUT is away; after ten in a row nobody asks for 30 s", async () => {
    const impatient = bucket({ S3_READ_TIMEOUT: "1" });
    store.answers.push("silence");
    await assert.rejects(impatient.put(facts.key, bytes), StorageAway);
    const nowhere = bucket({ S3_ENDPOINT: "http://127.0.0.1:1" });
    for (let n = 0; n < 10; n++) await assert.rejects(nowhere.put(facts.key, bytes), /ECONNREFUSED/);
    await assert.rejects(nowhere.put(facts.key, bytes), /did not answer lately/);
  });

  test("suspending changes the ACL, if there is one; a missing object is no matter", async () => {
    await bucket().hide(facts.key, true);
    await bucket().hide(facts.key, false);
    await bucket({ S3_PERMISSION: "" }).hide(facts.key, true);
    store.answers.push([404, "NoSuchKey"], [501, "NotImplemented"], [403, "AccessDenied"]);
    for (let n = 0; n < 2; n++) await bucket().hide(facts.key, true);
    await assert.rejects(bucket().hide(facts.key, true), { name: "AccessDenied" });
    assert.ok(kinds().every((k) => k === `PUT /${facts.key}?acl`));
    const acls = store.asked.map((a) => a.headers["x-amz-acl"]);
    assert.deepEqual(acls, ["private", "public-read", "private", "private", "private"]);
  });

  test("a deletion that the store refuses is not heard, a file is asked for its parts before it is fetched", async () => {
    store.answers.push([403, "AccessDenied"]);
    assert.equal(await bucket().remove(facts.key), false);
    assert.equal(await bucket().remove(facts.key), true);
    await bucket().get(facts.key);
    await bucket({ S3_FORCE_SINGLE_REQUEST: "true" }).get(facts.key);
    const verbs = store.asked.map((a) => a.method);
    assert.deepEqual(verbs, ["DELETE", "DELETE", "HEAD", "GET", "GET"]);
    assert.match(store.asked[2]?.path ?? "", /partNumber=1/);
  });

  test("a listing goes on page by page", async () => {
    const found: string[] = [];
    for await (const key of bucket().keys({ prefix: "media", startAfter: "m" })) found.push(key);
    assert.deepEqual(found, ["a", "b"]);
    assert.match(store.asked[0]?.path ?? "", /max-keys=1000.*prefix=media.*start-after=m/);
  });
});
