import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unwatchJobs, watchJobs } from "../../rehearsal/judge";
import { watchedJobs } from "../../rehearsal/judge/jobs";
import { Site } from "../../rehearsal/judge/site";
import { differing, sumTables } from "../../rehearsal/judge/tables";
import { books, furnish, job } from "./instance";
import { Server } from "./server";

let truth: Server;
let other: Server;

before(async () => {
  truth = await Server.start("new");
  await furnish(truth);
  other = await Server.start("old", truth);
});

after(async () => {
  await other?.stop();
  await truth?.stop();
});

const followed = () => ({ otherHost: other.host, otherPlace: other.place });

test("two live servers are compared whole, also while a row is written between two looks", async () => {
  let writing = true;
  // One after another: a busy machine would otherwise have more of them at once than Postgres lets in.
  const writer = (async () => {
    while (writing) await truth.sql("UPDATE users SET account_id = account_id WHERE id = 1");
  })();
  const l = await books(truth, { ...followed(), settleMs: 60_000 }).finally(() => {
    writing = false;
  });
  await writer;
  assert.deepEqual(l.findings, []);
  assert.deepEqual([l.tables.compared, l.mediaFiles.compared], [7, 2]);
});

test("a standby that does not follow is told, with the tables that differ", async () => {
  await other.sql("SELECT pg_wal_replay_pause()");
  await truth.sql("INSERT INTO users (account_id) VALUES (5)");
  const l = await books(truth, { ...followed(), settleMs: 1500 });
  assert.match(l.findings.join("\n"), /standby behind: old has not replayed what new wrote/);
  assert.deepEqual(l.tables.different, ["public.users"]);
  await other.sql("SELECT pg_wal_replay_resume()");
});

test("a file that only the old server has is missing on the new one", async () => {
  other.file("site_uploads/files/000/000/001/original/x.png", "left behind");
  const l = await books(truth, { ...followed(), settleMs: 60_000 });
  assert.deepEqual(l.findings, ["file missing: site_uploads/files/000/000/001/original/x.png"]);
});

test("one row more, one changed byte, or another order of columns changes a table's sum; the order of rows does not", async () => {
  const site = new Site(truth.host, truth.place);
  await truth.sql("CREATE TABLE x (a text, b text); INSERT INTO x VALUES ('1', '2'), ('3', NULL)");
  const first = await sumTables(site);
  const after = async (script: string) => {
    await truth.sql(script);
    return differing(first, await sumTables(site));
  };
  assert.deepEqual(await after("DELETE FROM x; INSERT INTO x VALUES ('3', NULL), ('1', '2')"), []);
  assert.deepEqual(await after("UPDATE x SET b = '' WHERE b IS NULL"), ["public.x"]);
  assert.deepEqual(
    await after("UPDATE x SET b = NULL WHERE b = ''; UPDATE x SET a = b, b = a WHERE a = '1'"),
    ["public.x"],
  );
  assert.deepEqual(await after("DROP TABLE x"), ["public.x"]);
});

test("a witness writes down every job that Redis takes: pushed singly, in bulk, by a script, to be tried again", async () => {
  const seen = { ...truth.place, jobsSeen: `${truth.dir}/witness` };
  await watchJobs(truth.host, seen);
  const watched = () => watchedJobs(new Site(truth.host, seen));
  await until(async () => /cmd=monitor/.test(await truth.redis("CLIENT", "LIST")));
  const began = Date.now();
  await truth.redis("LPUSH", "queue:push", job("w1"));
  await truth.redis("LPUSH", "queue:push", job("w2"), job("w3"));
  await truth.redis("ZADD", "schedule", "7", job("w4"));
  await truth.redis("EVAL", "return redis.call('lpush', 'queue:default', ARGV[1])", "0", job("w5"));
  await truth.redis("SET", "elsewhere", job("no"));
  await until(async () => (await watched()).size >= 5);
  const seen_ = await watched();
  assert.deepEqual([...seen_.keys()].sort(), ["w1", "w2", "w3", "w4", "w5"]);
  for (const [jid, t] of seen_)
    assert.ok(t >= began - 1000 && t <= Date.now() + 1000, `${jid} was taken at ${t}`);
  await unwatchJobs(truth.host, seen);
  await until(async () => !/cmd=monitor/.test(await truth.redis("CLIENT", "LIST")));
});

async function until(true_: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await true_())) {
    assert.ok(Date.now() < end, "waited 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
