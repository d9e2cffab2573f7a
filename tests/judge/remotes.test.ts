import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import https from "node:https";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { backoff, verdict } from "../../rehearsal/remotes/delivery";
import { Fediverse, type FediverseOptions } from "../../rehearsal/remotes/fediverse";
import { claimOf, signed } from "../../rehearsal/remotes/signature";
import { type Answer, lines, reply, until, Web } from "./web";

const domain = "social.example";
const remote = "remote1.example";
const own = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKeyPem = own.publicKey.export({ type: "spki", format: "pem" }).toString();

let web: Web;
let fediverse: Fediverse | undefined;
let status = 202;

/** An instance with one user and an inbox that answers as told. */
const instance: Answer = (req, _body, res) => {
  if (req.url === "/users/anna")
    return reply(res, 200, { id: `https://${domain}/users/anna`, publicKey: { publicKeyPem } });
  return reply(res, req.method === "POST" ? status : 404, {});
};

beforeEach(async () => {
  status = 202;
  web = await Web.open([domain, remote], instance);
});

afterEach(async () => {
  await fediverse?.stop();
  fediverse = undefined;
  await web.close();
});

async function open(o: Partial<FediverseOptions> = {}): Promise<Fediverse> {
  const { dns, dir, certificate, port: instancePort } = web;
  const place = {
    domain,
    dns,
    dir,
    certificate,
    instancePort,
    ca: certificate.cert,
    address: "127.0.0.3",
    port: instancePort,
  };
  const few = {
    hosts: [remote],
    actorsPerHost: 1,
    targets: ["anna"],
    rate: 0,
    linkRate: 0,
    timeScale: 0.001,
  };
  return (fediverse = await Fediverse.start({ ...place, ...few, ...o }));
}

const inbox = () => web.asked.filter((a) => a.path === "/inbox");

test("answers mean what they mean to Mastodon: 4xx and 501 are final but for 401, 408 and 429", () => {
  for (const s of [200, 202]) assert.equal(verdict(s), "delivered");
  for (const s of [400, 403, 404, 410, 413, 422, 501]) assert.equal(verdict(s), "dropped");
  for (const s of [0, 401, 408, 429, 500, 502, 503, 504]) assert.equal(verdict(s), "retry");
  assert.deepEqual([0, 1, 2, 3, 4].map(backoff), [15, 16, 31, 96, 271]);
});

test("deliveries are signed so that they can be checked with the actor's published key", async () => {
  const f = await open({ rate: 30 });
  await until("a follow and some notes", () => inbox().length >= 4);
  await f.quiet(30_000);
  const actor = await get("/users/alice");
  const pem = (JSON.parse(actor.body) as { publicKey: { publicKeyPem: string } }).publicKey.publicKeyPem;
  for (const a of inbox()) {
    const claim = claimOf("post", a.path, a.headers, a.body.toString());
    assert.equal(claim.fault(pem), undefined);
    assert.equal(claim.keyId, `https://${remote}/users/alice#main-key`);
  }
  const types = inbox().map((a) => (JSON.parse(a.body.toString()) as { type: string }).type);
  assert.deepEqual(types.sort(), [...Array<string>(types.length - 1).fill("Create"), "Follow"]);
  assert.equal(f.stats().delivered, inbox().length);
});

test("a 404 loses an activity for ever, and that is counted and written down", async () => {
  status = 404;
  const f = await open();
  const stats = await f.quiet(30_000);
  assert.deepEqual([stats.delivered, stats.dropped, stats.retried, inbox().length], [0, 1, 0, 1]);
  const [line] = lines<{ kind: string; status: number }>(path.join(web.dir, "remotes.jsonl"));
  assert.deepEqual([line?.kind, line?.status], ["dropped", 404]);
});

test("a 503 puts it off, and it goes out again until it is taken", async () => {
  status = 503;
  const f = await open();
  await until("three tries", () => inbox().length >= 3);
  status = 202;
  const stats = await f.quiet(30_000);
  assert.deepEqual([stats.delivered, stats.dropped, stats.pending], [1, 0, 0]);
  assert.equal(stats.retried, inbox().length - 1);
  assert.equal(new Set(inbox().map((a) => (JSON.parse(a.body.toString()) as { id: string }).id)).size, 1);
});

test("an inbox takes what is signed by its actor, counts what comes twice, and refuses the rest", async () => {
  const f = await open();
  const actor = `https://${domain}/users/anna`;
  const create = JSON.stringify({
    id: `${actor}/statuses/1/activity`,
    type: "Create",
    actor,
    object: { id: `${actor}/statuses/1` },
  });
  const good = signed("/inbox", remote, create, `${actor}#main-key`, own.privateKey);
  assert.equal((await post(create, good)).status, 202);
  assert.equal((await post(create, good)).status, 202);
  assert.equal((await post(create, { ...good, date: new Date(0).toUTCString() })).status, 401);
  assert.equal((await post(create.replace("statuses/1", "statuses/2"), good)).status, 401);
  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  assert.equal(
    (await post(create, signed("/inbox", remote, create, `${actor}#main-key`, stranger))).status,
    401,
  );
  assert.equal(
    (await post(create, signed("/inbox", remote, create, "https://else.example#main-key", own.privateKey)))
      .status,
    401,
  );
  const { received, duplicated, refused } = f.stats();
  assert.deepEqual([received, duplicated, refused], [2, 1, 4]);
});

test("actors can be found, and a follow of one of them is accepted", async () => {
  await open({ targets: [] });
  const found = await get(`/.well-known/webfinger?resource=acct:alice@${remote}`);
  assert.match(found.body, /"href":"https:\/\/remote1\.example\/users\/alice"/);
  assert.equal((await get("/users/nobody")).status, 404);
  const actor = `https://${domain}/users/anna`;
  const follow = JSON.stringify({
    id: `${actor}#follow/1`,
    type: "Follow",
    actor,
    object: `https://${remote}/users/alice`,
  });
  await post(
    follow,
    signed("/users/alice/inbox", remote, follow, `${actor}#main-key`, own.privateKey),
    "/users/alice/inbox",
  );
  await until("the accept", () => inbox().length === 1);
  assert.match(inbox()[0]!.body.toString(), /"type":"Accept".*"type":"Follow"/);
});

const get = (where: string) => ask("GET", where, { host: remote });
const post = (body: string, headers: Record<string, string>, where = "/inbox") =>
  ask("POST", where, headers, body);

function ask(method: string, where: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const at = { host: "127.0.0.3", port: web.port, servername: remote, ca: web.certificate.cert };
    const req = https.request({ ...at, method, path: where, headers, agent: false }, (res) => {
      let text = "";
      res
        .on("data", (b: Buffer) => (text += b.toString()))
        .on("end", () => resolve({ status: res.statusCode ?? 0, body: text }));
    });
    req.on("error", reject).end(body);
  });
}
