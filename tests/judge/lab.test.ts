import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { startClouds } from "../../rehearsal/clouds";
import { ledger, Site, takeSnapshot, watchJobs, writablePrimaries } from "../../rehearsal/judge";
import { idle, pendingJobs } from "../../rehearsal/judge/jobs";
import { settle } from "../../rehearsal/judge/settle";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { type Installed, installMastodon } from "../../rehearsal/mastodon";
import { startPeople } from "../../rehearsal/people";
import { remoteHosts, startRemotes } from "../../rehearsal/remotes";
import { kinds } from "../../rehearsal/report/model";
import { until } from "./web";

const domain = "social.example";
const address = "198.18.0.10";
const edge = "198.18.2.1";

let lab: Lab;
let host: LabHost;
let installed: Installed;
let clouds: Awaited<ReturnType<typeof startClouds>>;

before(async () => {
  lab = await Lab.start();
  clouds = await startClouds({ dir: lab.dir, dns: { address: "198.18.2.53" } });
  const zone = (name: string, content: string) =>
    clouds.api.addZone({ provider: "cloudflare", name, records: [{ name, type: "A", content, ttl: 60 }] });
  zone(domain, address);
  for (const name of remoteHosts) zone(name, edge);
  host = await lab.boot("old", { address, side: "old", authorizedKeys: [lab.operatorKey.public] });
  const certificate = await lab.ca.certificateFor([domain]);
  installed = await installMastodon(host, { domain, size: "small", certificate });
});

after(async () => {
  await clouds?.stop();
  await lab?.stop();
});

test("people and remote servers use an instance that nobody moves, and every account of it agrees", async (t) => {
  const dir = path.join(lab.dir, "records");
  mkdirSync(dir);
  const common = { domain, caPath: lab.ca.certPath, dir };
  await watchJobs(host);
  const targets = installed.users.slice(0, 8).map((u) => u.username);
  const certificate = await lab.ca.certificateFor(remoteHosts);
  const remotes = await startRemotes({ ...common, certificate, address: edge, targets, rate: 5 });
  const people = await startPeople({ ...common, accounts: installed.users, rate: 20 });
  const enough = async () => (await people.stats()).acknowledged > 200;
  await until("some two hundred writes", enough, 60_000);
  const asked = await people.pause();
  const taken = await remotes.quiet();
  t.diagnostic(JSON.stringify({ asked, taken }));
  const site = new Site(host);
  const atRest = async () =>
    (await settle(site, [], [], 1000)).fate.open.length === 0 && idle(await pendingJobs(site));
  await until("Sidekiq to have done what they led to", atRest, 120_000);
  const fence = await takeSnapshot(site);
  const books = await ledger(lab, {
    truthHost: host,
    records: { people: people.records, remotes: remotes.records },
    fence,
  });
  t.diagnostic(JSON.stringify(books));
  await people.stop();
  await remotes.stop();
  assert.deepEqual(books.findings, []);
  for (const kind of kinds) assert.ok(books.acknowledged[kind] > 0, kind);
  assert.deepEqual(asked.failures, {});
  assert.deepEqual([asked.streams.connected, asked.streams.reconnects], [asked.streams.clients, 0]);
  assert.ok(asked.streams.events > 100, `${asked.streams.events} events were streamed`);
  assert.deepEqual(taken.failures, {});
  assert.deepEqual(
    [taken.dropped, taken.retried, taken.refused, taken.duplicated, taken.pending],
    [0, 0, 0, 0, 0],
  );
});

test("there is one writable Postgres and one Redis, and the app uses it; without either, the judge says so", async () => {
  const good = await writablePrimaries(lab.hosts());
  assert.deepEqual(good, { ok: true, postgres: ["old"], redis: ["old"], appRedis: "old", findings: [] });
  await host.sh("redis-cli REPLICAOF 192.0.2.1 1");
  const fenced = await writablePrimaries(lab.hosts());
  assert.match(
    fenced.findings.join("\n"),
    /Redis takes writes on no host[\s\S]*the app uses the Redis of old, which takes no writes/,
  );
  await host.sh("redis-cli REPLICAOF NO ONE; systemctl stop postgresql@15-main");
  assert.match(
    (await writablePrimaries(lab.hosts())).findings.join("\n"),
    /Postgres takes writes on no host/,
  );
});
