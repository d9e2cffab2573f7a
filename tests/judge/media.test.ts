/** The judge's account of media in a bucket: right when all is well, and each thing that is wrong is seen. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { bucketFiles, mediaBooks, missingOnDisk, Site } from "../../rehearsal/judge";
import { ObjectStore } from "../../rehearsal/stores";
import { signed } from "../../rehearsal/stores/sign";
import { Server } from "./server";

const image = "file_name text, #_content_type text, #_file_size int, #_storage_schema_version int".replace(
  "file",
  "#_file",
);
const of = (...names: string[]) => names.map((n) => image.replaceAll("#", n)).join(", ");
const schema = `
  CREATE TABLE accounts (id bigint PRIMARY KEY, domain text, suspended_at timestamp, ${of("avatar", "header")});
  CREATE TABLE media_attachments (id bigint PRIMARY KEY, account_id bigint, remote_url text DEFAULT '', ${of("file", "thumbnail")});
  CREATE TABLE custom_emojis (id bigserial, domain text, ${of("image")});
  CREATE TABLE preview_cards (id bigserial, ${of("image")});
  CREATE TABLE site_uploads (id bigserial, var text, ${of("file")});
  CREATE TABLE backups (id bigserial, ${of("dump")});
  INSERT INTO accounts (id, domain, suspended_at, avatar_file_name, avatar_content_type, avatar_file_size, avatar_storage_schema_version)
    VALUES (116000000000000001, NULL, NULL, 'a.gif', 'image/gif', 5, 1), (116000000000000002, 'far.example', now(), 'b.png', 'image/png', 5, 1);
  INSERT INTO media_attachments (id, account_id, file_file_name, file_content_type, file_file_size)
    VALUES (117000000000000001, 116000000000000001, 'm.mp4', 'video/mp4', 5);
  INSERT INTO backups (dump_file_name, dump_content_type, dump_file_size) VALUES ('archive.zip', 'application/zip', 5);`;

const avatar = "accounts/avatars/116/000/000/000/000/001/original/a.gif";
const archive = "backups/dumps/000/000/001/original/archive.zip";
const suspended = "cache/accounts/avatars/116/000/000/000/000/002/original/b.png";
const files: Record<string, string> = {
  [avatar]: "image/gif",
  [avatar.replace("original/a.gif", "static/a.png")]: "image/png",
  [suspended]: "image/png",
  "media_attachments/files/117/000/000/000/000/001/original/m.mp4": "video/mp4",
  "media_attachments/files/117/000/000/000/000/001/small/m.png": "image/png",
  [archive]: "application/zip",
};
const secret = [suspended, archive];

let server: Server, store: ObjectStore, dir: string;
let n = 0;
let bucket = "";

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "judge-media-"));
  server = await Server.start("media");
  await server.sql("CREATE DATABASE mastodon_production", "postgres");
  await server.sql(schema);
  for (const key of Object.keys(files)) {
    server.file(key, "bytes");
    if (secret.includes(key)) chmodSync(path.join(server.place.media, key), 0o600);
  }
  store = await ObjectStore.start("other", dir);
});
after(async () => {
  await store?.stop();
  await server?.stop();
  rmSync(dir, { recursive: true });
});

/** Puts an object there as the app would. */
async function put(key: string, o: { body?: string; headers?: Record<string, string> } = {}): Promise<void> {
  const body = o.body ?? "bytes";
  const url = new URL(`${store.origin}/${bucket}/${key}`);
  const own = {
    "content-type": files[key] ?? "",
    "cache-control": "public, max-age=315576000, immutable",
    ...o.headers,
  };
  const answer = await fetch(url, {
    method: "PUT",
    headers: signed({ method: "PUT", url, headers: own, body }, store.root, store.region),
    body,
  });
  assert.equal(answer.status, 200, await answer.text());
}

const place = () => ({
  origin: `${store.origin}/${bucket}`,
  owner: store.root,
  region: store.region,
  open: [],
  ca: "",
});
const site = () => new Site(server.host, server.place);
const books = (o = {}) =>
  mediaBooks(site(), {
    bucket: place(),
    missingBefore: new Set<string>(),
    privateBefore: new Set<string>([suspended]),
    objectAcl: true,
    ...o,
  });

beforeEach(async () => {
  await store.makeBucket((bucket = `books-${++n}`));
  for (const key of Object.keys(files)) await put(key);
});

test("all is there: the rows, the disk and the bucket agree", async () => {
  assert.deepEqual(await missingOnDisk(site()), new Set());
  const found = await books();
  const { objects, bytes, missing, wrong, privateExposed } = found;
  assert.deepEqual(
    { objects, bytes, missing, wrong, privateExposed },
    { objects: 6, bytes: 30, missing: 0, wrong: 0, privateExposed: 0 },
  );
  assert.equal((await bucketFiles(place())).size, 6);
  assert.deepEqual([...(await site().privateFiles())].sort(), [...secret].sort());
});

test("a file that is missing, one that was cut short, one with other bytes, one that says the wrong thing", async () => {
  await store.delete(bucket, avatar);
  await put("media_attachments/files/117/000/000/000/000/001/original/m.mp4", { body: "byt" });
  await put("media_attachments/files/117/000/000/000/000/001/small/m.png", { body: "other" });
  await put(suspended, { headers: { "content-type": "application/octet-stream" } });
  const found = await books();
  assert.equal(found.missing, 1);
  assert.equal(found.wrong, 4, "cut short is two faults: of its row and of its bytes");
  assert.match(found.findings.join("\n"), /object missing: accounts\/avatars.*a\.gif/);
  assert.match(found.findings.join("\n"), /3 bytes, its row says 5/);
  const known = await books({ missingBefore: new Set([avatar]) });
  assert.equal(known.missing, 0, "nobody can bring what was never there");
});

test("what a store can't keep private has to stay out of it, and is counted", async () => {
  for (const key of secret) await store.delete(bucket, key);
  assert.equal((await books()).missing, 2);
  const found = await books({ objectAcl: false });
  assert.deepEqual([found.missing, found.withheld], [0, 2]);
});

test("a private file that anyone can read is seen", async () => {
  // The gate is not started here, so the S3 server's own policy decides: everyone may read.
  const open = await mediaBooks(site(), {
    bucket: { ...place(), open: [`${store.origin}/${bucket}`] },
    missingBefore: new Set<string>(),
    privateBefore: new Set<string>([suspended]),
    objectAcl: true,
  });
  assert.equal(open.privateExposed, 2);
  assert.match(open.findings.join("\n"), /private file exposed: http/);
});

test("an empty bucket proves nothing", async () => {
  for (const key of Object.keys(files)) await store.delete(bucket, key);
  assert.match((await books()).findings.join("\n"), /the bucket is empty/);
});
