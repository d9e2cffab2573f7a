import assert from "node:assert/strict";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Snapshot } from "../../rehearsal/judge";
import { kinds } from "../../rehearsal/report/model";
import { books, fenceOf, furnish, job, note, pictureKey, remotes } from "./instance";
import { Server } from "./server";

let server: Server;
let fence: Snapshot;

before(async () => (server = await Server.start("truth")));
after(() => server.stop());

beforeEach(async () => {
  await server.sql("DROP DATABASE IF EXISTS mastodon_production", "postgres");
  await server.redis("FLUSHALL");
  rmSync(path.join(server.dir, "system"), { recursive: true });
  await furnish(server);
  fence = await fenceOf(server);
});

test("an instance on which nothing is wrong is found to be so, and everything on it was looked at", async () => {
  const l = await books(server, { fence });
  assert.deepEqual(l.findings, []);
  assert.ok(l.ok);
  assert.deepEqual(l.acknowledged, { statuses: 2, media: 1, follows: 1, jobs: 3, feeds: 4, deliveries: 4 });
  for (const kind of kinds) assert.deepEqual([l.lost[kind], l.duplicated[kind]], [0, 0], kind);
  assert.deepEqual([l.tables.compared, l.tables.rows], [7, 12]);
  assert.equal(l.mediaFiles.compared, 2);
  assert.equal(l.sequences.compared, 4);
});

test("a ledger that compares nothing fails", async () => {
  const records = { people: "/nonexistent", remotes: "/nonexistent" };
  writeFileSync(server.place.jobsSeen, "");
  const empty: Snapshot = { of: "nowhere", tables: new Map(), sequences: [], files: new Map(), jobs: [] };
  const l = await books(server, { records, fence: empty });
  assert.ok(!l.ok);
  for (const kind of kinds)
    assert.match(l.findings.join("\n") + "no and", new RegExp(`no ${kind} were|and \\d more|no and`));
  const one = await books(server, { records, fence, expect: ["media"] });
  assert.deepEqual(one.findings, ["nothing to compare: no media were acknowledged"]);
  assert.equal(
    (await books(server, { records, expect: [] })).findings.length,
    2,
    "no other server: no tables, no files",
  );
});

/** Each way in which a move can go wrong: what is done to the server, and what the judge has to say of it. */
const wrongs: Record<
  string,
  { break: () => unknown; says: RegExp; count?: (l: Awaited<ReturnType<typeof books>>) => number }
> = {
  "a missing status": {
    break: () => server.sql("DELETE FROM statuses WHERE id = 2"),
    says: /status lost: 2 .*no such row/,
    count: (l) => l.lost.statuses,
  },
  "a status with other words": {
    break: () => server.sql("UPDATE statuses SET text = 'else' WHERE id = 2"),
    says: /status lost: 2 .*another row/,
    count: (l) => l.lost.statuses,
  },
  "a duplicated status": {
    break: () => server.sql("INSERT INTO statuses SELECT 77, account_id, text FROM statuses WHERE id = 1"),
    says: /status twice: 2 times "anna says/,
    count: (l) => l.duplicated.statuses,
  },
  "a table with one changed row": {
    break: () => server.sql("UPDATE accounts SET username = 'Anna' WHERE username = 'anna'"),
    says: /table differs: public\.accounts/,
    count: (l) => l.tables.different.length,
  },
  "two rows whose values were swapped": {
    break: () => server.sql("UPDATE users SET account_id = (SELECT sum(account_id) FROM users) - account_id"),
    says: /table differs: public\.users/,
  },
  "a table that is gone": {
    break: () =>
      server.sql(
        "DROP TABLE favourites; CREATE VIEW favourites AS SELECT 1::bigint AS account_id, 1::bigint AS status_id",
      ),
    says: /table differs: public\.favourites/,
  },
  "a missing media file": {
    break: () => rmSync(path.join(server.place.media, "accounts"), { recursive: true }),
    says: /file missing: accounts\/avatars\/116\/original\/a\.png/,
    count: (l) => l.mediaFiles.missing,
  },
  "a media file with other bytes": {
    break: () => server.file("accounts/avatars/116/original/a.png", "an Avatar"),
    says: /file differs: accounts/,
    count: (l) => l.mediaFiles.different,
  },
  "an upload without its file": {
    break: () => rmSync(path.join(server.place.media, pictureKey)),
    says: /media lost: 117000000000000001 .*no file media_attachments/,
    count: (l) => l.lost.media,
  },
  "an upload with other bytes than were sent": {
    break: () => server.file(pictureKey, "cut o"),
    says: /media lost: .*other bytes/,
    count: (l) => l.lost.media,
  },
  "an upload that lost its status": {
    break: () => server.sql("UPDATE media_attachments SET status_id = NULL"),
    says: /media lost: .*belongs to status null, not to 2/,
  },
  "a lost follow": {
    break: () => server.sql("DELETE FROM follows WHERE account_id = 116000000000000002"),
    says: /follow lost: 116000000000000002 follows 116000000000000001/,
    count: (l) => l.lost.follows,
  },
  "a job that is neither done nor waiting": {
    break: () => server.redis("DEL", "retry"),
    says: /job lost: aaa3/,
    count: (l) => l.lost.jobs,
  },
  "a job that was waiting at the fence and seen by nobody else": {
    break: () => fence.jobs.push({ where: "schedule", jid: "bbb9", payload: "" }),
    says: /job lost: bbb9/,
    count: (l) => l.lost.jobs,
  },
  "a job that was done twice": {
    break: () => appendFileSync(path.join(server.dir, "sidekiq.log"), "jid=aaa1 elapsed=0.2 INFO: done\n"),
    says: /job twice: aaa1 was done 2 times/,
    count: (l) => l.duplicated.jobs,
  },
  "a status missing from a follower's feed": {
    break: () => server.redis("ZREM", "feed:home:116000000000000002", "2"),
    says: /feed lost: status 2 .*116000000000000002/,
    count: (l) => l.lost.feeds,
  },
  "an accepted activity that left no row": {
    break: () => server.sql(`DELETE FROM statuses WHERE uri = '${note}'`),
    says: /delivery lost: Create .*accepted .* is nowhere/,
    count: (l) => l.lost.deliveries,
  },
  "an accepted activity that left two": {
    break: () =>
      server.sql(
        "INSERT INTO favourites (account_id, status_id) SELECT account_id, status_id FROM favourites",
      ),
    says: /delivery twice: Like .* has 2 rows/,
    count: (l) => l.duplicated.deliveries,
  },
  "a sequence that would give a number again": {
    break: () => server.sql("SELECT setval('follows_id_seq', 1)"),
    says: /sequence behind: public\.follows_id_seq/,
    count: (l) => l.sequences.behind.length,
  },
  "a queue that does not empty": {
    break: () => server.redis("LPUSH", "queue:default", job("aaa4")),
    says: /not settled: truth: Sidekiq does not get its queues empty/,
  },
};

for (const [name, wrong] of Object.entries(wrongs))
  test(`the judge sees ${name}`, async () => {
    await wrong.break();
    const l = await books(server, { fence });
    assert.ok(!l.ok, "it is not all right");
    assert.match(l.findings.join("\n"), wrong.says);
    if (wrong.count) assert.equal(wrong.count(l), 1);
  });

test("a status that reached a remote server twice, or never, is seen; one that still waits to be sent is not lost", async () => {
  const [create, like, one, two] = remotes;
  const twice = await books(server, { fence, told: [create!, like!, one!, two!, two!] });
  assert.match(twice.findings.join("\n"), /delivery twice: status 2 reached remote1\.example 2 times/);
  const never = await books(server, { fence, told: [create!, like!, one!] });
  assert.equal(never.lost.deliveries, 1);
  const waits = JSON.stringify({ class: "DeliveryWorker", args: ["{object: statuses/2}"], jid: "aaa3" });
  await server.redis("ZADD", "retry", "9", waits);
  assert.equal((await books(server, { fence, told: [create!, like!, one!] })).lost.deliveries, 0);
});

test("of many findings of a kind the first three are told and the rest counted", async () => {
  fence.jobs.push(...["c1", "c2", "c3", "c4", "c5"].map((jid) => ({ where: "retry", jid, payload: "" })));
  const l = await books(server, { fence });
  assert.deepEqual(l.findings.slice(3), ["job lost: and 2 more"]);
});

test("a power cut excuses what only Redis held at that moment, never a row or a file, and says so", async () => {
  await server.redis("DEL", "retry", "feed:home:116000000000000002");
  await server.sql("DELETE FROM follows WHERE account_id = 116000000000000002");
  appendFileSync(path.join(server.dir, "sidekiq.log"), "jid=aaa1 elapsed=0.2 INFO: done\n"); // done again after it
  const cut = Date.UTC(2026, 0, 1);
  const l = await books(server, {
    fence: undefined,
    excuses: [{ from: cut, to: cut + 9000, why: "when old lost power" }],
  });
  assert.deepEqual([l.lost.jobs, l.lost.feeds, l.lost.follows], [0, 0, 1]);
  assert.deepEqual([l.duplicated.jobs, l.excused], [0, ["2 when old lost power"]]);
  const later = await books(server, { fence, excuses: [{ from: cut + 9000, to: cut + 9999, why: "later" }] });
  assert.deepEqual([later.lost.jobs, later.duplicated.jobs, later.excused], [1, 1, []]);
});
