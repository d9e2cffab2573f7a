import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ledger, type LedgerOptions, Site, takeSnapshot } from "../../rehearsal/judge";
import type { Ledger } from "../../rehearsal/report/model";
import type { Server } from "./server";

const schema = `
  CREATE TABLE accounts (id bigint PRIMARY KEY, username text, domain text, uri text);
  CREATE TABLE users (id bigserial PRIMARY KEY, account_id bigint);
  CREATE TABLE statuses (id bigint PRIMARY KEY, account_id bigint, text text, uri text, deleted_at timestamp, reblog_of_id bigint,
    created_at timestamp NOT NULL DEFAULT timezone('UTC', now()));
  CREATE TABLE media_attachments (id bigint PRIMARY KEY, status_id bigint, file_file_name text,
    remote_url text NOT NULL DEFAULT '', file_storage_schema_version int);
  CREATE TABLE follows (id bigserial PRIMARY KEY, account_id bigint, target_account_id bigint, created_at timestamp);
  CREATE TABLE follow_requests (id bigserial PRIMARY KEY, account_id bigint, target_account_id bigint);
  CREATE TABLE favourites (id bigserial PRIMARY KEY, account_id bigint, status_id bigint);`;

const [anna, ben, zoe] = ["116000000000000001", "116000000000000002", "116000000000000009"];
const key = (n: number) => `0000000${n}-0000-4000-8000-000000000000`;
const text = (n: number) => `anna says ${key(n)}`;
const picture = "the bytes of a picture";
export const pictureKey = "media_attachments/files/117/000/000/000/000/001/original/abc.png";
export const note = "https://remote1.example/users/zoe/statuses/1";
const began = Date.UTC(2026, 0, 1);

const rows = `
  INSERT INTO accounts VALUES (${anna}, 'anna', NULL, ''), (${ben}, 'ben', NULL, ''),
    (${zoe}, 'zoe', 'remote1.example', 'https://remote1.example/users/zoe');
  INSERT INTO users (account_id) VALUES (${anna}), (${ben});
  INSERT INTO statuses VALUES (1, ${anna}, '${text(1)}', NULL), (2, ${anna}, '${text(2)}', NULL), (3, ${zoe}, 'hello', '${note}');
  INSERT INTO media_attachments VALUES (117000000000000001, 2, 'abc.png');
  INSERT INTO follows (account_id, target_account_id, created_at) VALUES
    (${ben}, ${anna}, '2025-12-31'), (${zoe}, ${anna}, '2025-12-31');
  INSERT INTO favourites (account_id, status_id) VALUES (${zoe}, 1);`;

const sha256 = createHash("sha256").update(picture).digest("hex");
const done = { latencyMs: 20, status: 200, tries: 1, account: anna };
const people = [
  {
    t: began + 1000,
    ...done,
    kind: "status",
    id: "1",
    text: text(1),
    key: key(1),
    visibility: "public",
    media: [],
  },
  { t: began + 2000, ...done, kind: "media", id: "117000000000000001", sha256, bytes: 22, url: "" },
  {
    t: began + 2100,
    ...done,
    kind: "status",
    id: "2",
    text: text(2),
    key: key(2),
    visibility: "public",
    media: ["117000000000000001"],
  },
  { t: began + 3000, ...done, kind: "follow", account: ben, id: anna },
];
const zoeUri = "https://remote1.example/users/zoe";
const seen = { host: "remote1.example", t: began + 4000 };
const local = "https://social.example/users/anna/statuses";
export const remotes = [
  { ...seen, kind: "delivered", id: `${note}/activity`, type: "Create", actor: zoeUri, object: note },
  { ...seen, kind: "delivered", id: `${zoeUri}#like/1`, type: "Like", actor: zoeUri, object: `${local}/1` },
  {
    ...seen,
    kind: "received",
    id: `${local}/1/activity`,
    type: "Create",
    actor: "anna",
    object: `${local}/1`,
  },
  {
    ...seen,
    kind: "received",
    id: `${local}/2/activity`,
    type: "Create",
    actor: "anna",
    object: `${local}/2`,
  },
];

/** Fills a server with a small instance on which nothing is wrong. */
export async function furnish(server: Server): Promise<void> {
  await server.sql("CREATE DATABASE mastodon_production", "postgres");
  await server.sql(schema + rows);
  server.file(pictureKey, picture);
  server.file("accounts/avatars/116/original/a.png", "an avatar");
  for (const feed of [anna, ben]) await server.redis("ZADD", `feed:home:${feed}`, "1", "1", "2", "2");
  await server.redis("SADD", "queues", "default");
  await server.redis("ZADD", "retry", "9", job("aaa3"));
  writeFileSync(
    path.join(server.dir, "sidekiq.log"),
    "class=X jid=aaa1 elapsed=0.1 INFO: done\nclass=X jid=aaa2: done\n",
  );
  writeFileSync(
    server.place.jobsSeen,
    ["aaa1", "aaa2", "aaa3"].map((j) => `1767225604.5\njid\\":\\"${j}\\"\n`).join(""),
  );
}

export function job(jid: string): string {
  return JSON.stringify({ class: "DistributionWorker", args: [1], jid, queue: "default" });
}

/** Draws up the ledger of a server against what it, or another, was at the fence. */
export async function books(
  server: Server,
  o: Partial<LedgerOptions> & { told?: object[] } = {},
): Promise<Ledger> {
  const file = (name: string, all: object[]) => {
    const to = path.join(server.dir, name);
    writeFileSync(to, all.map((line) => JSON.stringify(line) + "\n").join(""));
    return to;
  };
  const records = { people: file("people.jsonl", people), remotes: file("remotes.jsonl", o.told ?? remotes) };
  const lab = { hosts: () => [server.host] };
  return ledger(lab, { truthHost: server.host, records, place: server.place, settleMs: 1000, ...o });
}

export const fenceOf = (server: Server) => takeSnapshot(new Site(server.host, server.place));
