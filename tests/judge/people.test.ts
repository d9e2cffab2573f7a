import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { WebSocketServer } from "ws";
import { startPeople } from "../../rehearsal/people";
import { Crowd, type CrowdOptions } from "../../rehearsal/people/crowd";
import { type Acknowledged } from "../../rehearsal/people";
import { type Answer, lines, reply, until, Web } from "./web";

const domain = "social.example";
const accounts = ["1", "2", "3"].map((id) => ({ id, username: `user${id}`, token: `token-${id}` }));

let web: Web;
let posted = 0;

/** An instance that says yes to everything, as far as people ask. */
const yes: Answer = (req, _body, res) => {
  const url = req.url ?? "";
  if (url === "/api/v1/statuses") return reply(res, 200, { id: String(++posted) });
  if (url === "/api/v2/media")
    return reply(res, 200, { id: `9${++posted}`, url: `https://${domain}/system/${posted}.png` });
  return reply(res, 200, {});
};

beforeEach(async () => {
  posted = 0;
  web = await Web.open([domain], yes);
});
afterEach(() => web.close());

function crowd(o: Partial<CrowdOptions> = {}): Crowd {
  const { port, dns, dir } = web;
  const usual = { domain, port, dns, dir, ca: web.certificate.cert, accounts, streams: 0 };
  return new Crowd({ ...usual, rate: 60, readsPerWrite: 1, ...o });
}

const acknowledged = () => lines<Acknowledged>(path.join(web.dir, "people.jsonl"));

test("people post, upload, follow and read, signed in; the record holds what was said yes to, no more", async () => {
  const people = crowd();
  await until("every kind of request", () => {
    const seen = new Set(web.asked.map((a) => a.path.replace(/\d+|\?.*/g, "")));
    return ["/api/v/statuses", "/api/v/media", "/api/v/accounts//follow", "/api/v/timelines/home"].every(
      (p) => seen.has(p),
    );
  });
  const stats = await people.stop();
  assert.equal(stats.failed, 0);
  assert.equal(stats.requests, web.asked.length);
  assert.ok(
    web.asked.every(
      (a) => a.path.startsWith("/system/") || /^Bearer token-[123]$/.test(a.headers.authorization ?? ""),
    ),
  );
  const posts = web.asked.filter((a) => a.path === "/api/v1/statuses");
  assert.deepEqual(
    acknowledged()
      .flatMap((a) => (a.kind === "status" ? [a.text] : []))
      .sort(),
    posts.map((p) => (JSON.parse(p.body.toString()) as { status: string }).status).sort(),
  );
});

test("an upload's checksum is that of the bytes that went out, and they are a picture", async () => {
  const people = crowd();
  await until("an upload", () => web.asked.some((a) => a.path === "/api/v2/media"));
  await people.stop();
  const sums = web.asked
    .filter((a) => a.path === "/api/v2/media")
    .map((a) => {
      const from = a.body.indexOf("\r\n\r\n") + 4;
      const file = a.body.subarray(from, a.body.lastIndexOf("\r\n--"));
      assert.equal(file.subarray(1, 4).toString(), "PNG");
      return createHash("sha256").update(file).digest("hex");
    });
  assert.deepEqual(
    acknowledged()
      .flatMap((a) => (a.kind === "media" ? [a.sha256] : []))
      .sort(),
    sums.sort(),
  );
});

test("a failed post counts, is tried again with the same key, and is acknowledged once", async () => {
  let refused = 0;
  web.become((req, body, res, address) => {
    if (req.url === "/api/v1/statuses" && refused++ === 0) return reply(res, 503, {});
    if (req.url === "/api/v1/statuses" && refused === 2) return void setTimeout(() => res.destroy(), 200);
    yes(req, body, res, address);
  });
  const people = crowd({ rate: 10, readsPerWrite: 0 });
  const more = () => acknowledged().reduce((sum, a) => sum + a.tries - 1, 0);
  await until("two more tries", () => more() === 2);
  const stats = await people.stop();
  assert.equal(stats.failed, 2);
  assert.deepEqual(Object.keys(stats.failures).sort(), ["503", "ECONNRESET"]);
  const posts = web.asked.filter((a) => a.path === "/api/v1/statuses");
  const keys = new Set(posts.map((a) => a.headers["idempotency-key"]));
  const acks = acknowledged().flatMap((a) => (a.kind === "status" ? [a.key] : []));
  assert.deepEqual(new Set(acks), keys, "each try of a post carries the same key");
  assert.equal(acks.length, keys.size);
});

test("a kept connection that the server had closed is reopened, as browsers do, and told apart from a failure", async () => {
  const used = new Set<unknown>();
  web.become((req, body, res, address) => {
    if (used.has(req.socket)) return void req.socket.destroy();
    used.add(req.socket);
    yes(req, body, res, address);
  });
  const people = crowd({ rate: 20, readsPerWrite: 0 });
  await until("a connection used twice", () => people.stats().reconnected > 2);
  const stats = await people.stop();
  assert.equal(stats.failed, 0);
});

test("so is one whose end lay unread while nobody had a turn at the processor", async () => {
  const used = new Set<unknown>();
  web.become((req, body, res, address) => {
    if (!used.has(req.socket)) return void (used.add(req.socket), yes(req, body, res, address));
    req.socket.destroy();
    setImmediate(() => {
      for (const end = Date.now() + 200; Date.now() < end;);
    });
  });
  const people = crowd({ rate: 20, readsPerWrite: 0 });
  await until("a connection used twice", () => people.stats().reconnected > 2);
  assert.deepEqual((await people.stop()).failures, {});
});

test("a request that is cut while the server works on it is a failure", async () => {
  const used = new Set<unknown>();
  web.become((req, body, res, address) => {
    if (!used.has(req.socket)) return void (used.add(req.socket), yes(req, body, res, address));
    setTimeout(() => req.socket.destroy(), 300);
  });
  const people = crowd({ rate: 20, readsPerWrite: 0 });
  await until("a connection used twice", () => people.stats().failed > 0);
  assert.deepEqual(Object.keys((await people.stop()).failures), ["ECONNRESET"]);
});

test("a slow answer is a long wait, not a failure", async () => {
  web.become((...a) => void setTimeout(() => yes(...a), 400));
  const began = performance.now();
  const people = crowd({ rate: 20 });
  await until("some answers", async () => people.stats().requests > 5);
  const stats = await people.stop();
  const whole = performance.now() - began;
  assert.equal(stats.failed, 0);
  assert.ok(stats.longestStallMs >= 395 && stats.longestStallMs <= whole, `${stats.longestStallMs} ms`);
});

test("people follow the name server when the TTL has run out, and not before", async () => {
  web.ttl = 2;
  const people = crowd();
  await until("requests", () => web.asked.length > 5);
  web.address = "127.0.0.2";
  const moved = Date.now();
  await until("a request at the other address", () => web.asked.some((a) => a.address === "127.0.0.2"));
  const waited = Date.now() - moved;
  assert.ok(waited < 3000, `after ${waited} ms`);
  await until("more of them", () => web.asked.slice(-10).every((a) => a.address === "127.0.0.2"));
  const stats = await people.stop();
  assert.deepEqual([stats.failed, stats.moves.length], [0, 1]);
});

test("a live feed that is cut comes back; the gap is measured and told", async () => {
  const sockets = new WebSocketServer({ noServer: true });
  for (const s of web.servers)
    s.on("upgrade", (req, socket, head) =>
      sockets.handleUpgrade(req, socket, head, (ws) => ws.send('{"event":"update"}')),
    );
  const people = crowd({ rate: 0, streams: 1 });
  await until("the feed", () => people.stats().streams.events === 1);
  const cut = performance.now();
  for (const c of sockets.clients) c.terminate();
  await until("the feed again", () => people.stats().streams.events === 2);
  const away = performance.now() - cut;
  const { streams } = await people.stop();
  assert.equal(streams.reconnects, 1);
  assert.ok(streams.longestGapMs > 100 && streams.longestGapMs <= away, `${streams.longestGapMs} ms`);
});

test("in a process of their own they are asked, paused, resumed and sent home", async () => {
  const { port, dns, dir } = web;
  const people = await startPeople({
    domain,
    port,
    dns,
    dir,
    caPath: path.join(dir, "cert"),
    accounts,
    rate: 40,
    streams: 0,
  });
  await until("requests", async () => (await people.stats()).requests > 10);
  const at = await people.mark("here");
  const paused = await people.pause();
  assert.equal(paused.inFlight, 0);
  const before = web.asked.length;
  await people.resume();
  await until("more requests", () => web.asked.length > before + 5);
  const stats = await people.stop();
  assert.equal(stats.requests, web.asked.length);
  const samples = await people.samples(0, Infinity);
  assert.equal(samples.length, stats.requests);
  assert.ok(
    samples.every((s) => s.ok && s.ms > 0) && (await people.samples(at - 1, at + 1)).length < samples.length,
  );
});
