import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Crowd } from "../../rehearsal/people/crowd";
import { Links, type Opened, picturesOf } from "../../rehearsal/people/links";
import { Page } from "../../rehearsal/people/page";
import { Journal } from "../../rehearsal/people/record";
import { Web as Client } from "../../rehearsal/people/web";
import { Fediverse } from "../../rehearsal/remotes/fediverse";
import { type Answer, lines, reply, until, Web } from "./web";

const domain = "social.example";
const media = "media.social.example";
const bytes = Buffer.from("the bytes of a picture");

let web: Web;
let client: Client;
let journal: Journal;
let links: Links;
let policy: string | undefined;

/** An instance whose /system leads to its media host, which has everything but what is `missing`. */
const instance: Answer = (req, _body, res) => {
  const [host = ""] = (req.headers.host ?? "").split(":");
  const at = (name: string) => `https://${name}:${web.port}`;
  if (req.url === "/about") {
    if (policy) res.setHeader("content-security-policy", `img-src 'self' data: ${policy}; media-src 'self'`);
    return reply(res, 200, {});
  }
  // What people write is taken; a picture that is still worked on has no address yet.
  if (req.method === "POST") return reply(res, 200, { id: "1", url: null });
  if (req.url?.startsWith("/api/v1/statuses/")) return reply(res, 200, status(at(domain)));
  if (req.url?.startsWith("/api/v1/timelines"))
    return reply(res, 200, req.url.includes("max_id") ? ([] as object) : ([status(at(domain))] as object));
  if (req.url?.endsWith("/loop")) return void res.writeHead(302, { location: "/system/loop" }).end();
  if (host === domain && req.url?.startsWith("/system/"))
    return void res.writeHead(301, { location: `${at(media)}${req.url.slice(7)}` }).end();
  if (req.url?.includes("missing")) return reply(res, 404, {});
  res.writeHead(200).end(req.url?.includes("empty") ? "" : bytes);
};

const status = (site: string) => ({
  id: "1",
  account: { avatar: `${site}/system/face.png` },
  media_attachments: [
    { url: `${site}/system/a.png`, preview_url: `${site}/system/missing.png` },
    { url: `${site}/media_proxy/7/original`, preview_url: null },
  ],
});

beforeEach(async () => {
  policy = undefined;
  web = await Web.open([domain, media], instance);
  const { dns, dir, certificate, port } = web;
  client = new Client({ domain, ca: certificate.cert, dns, port, onSample: () => undefined });
  journal = new Journal(path.join(dir, "links.jsonl"));
  links = new Links("people", client, journal);
});
afterEach(async () => {
  client.close();
  journal.close();
  await web.close();
});

const records = () => lines<Opened>(path.join(web.dir, "links.jsonl"));

test("an old address is good where its redirect ends with the bytes that were uploaded", async () => {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  assert.equal(await links.open(`https://${domain}/system/a.png`, { sha256 }), true);
  const [seen] = records();
  assert.deepEqual(seen?.via, [`https://${media}:${web.port}/a.png`]);
  assert.deepEqual([seen.ok, seen.status, seen.who], [true, 200, "people"]);
});

test("an address is broken by a 404, no bytes, other bytes, a circle, and a name that is not there", async () => {
  for (const [name, sha256] of [["missing"], ["empty"], ["a", "00"], ["loop"]])
    assert.equal(await links.open(`https://${domain}/system/${name}`, { sha256 }), false);
  await links.open("https://127.0.0.9:1/a.png");
  assert.deepEqual(
    records().map((r) => [r.ok, r.fault]),
    [
      [false, "404"],
      [false, "empty"],
      [false, "other bytes"],
      [false, "302"],
      [false, records()[4]?.fault],
    ],
  );
  assert.ok(records()[4]?.fault);
  assert.equal(links.stats.broken, 5);
});

test("a timeline's pictures are its faces, previews and originals, but not those that have to be fetched first", () => {
  const body = Buffer.from(JSON.stringify([status("https://x.example"), status("https://x.example")]));
  assert.deepEqual(
    picturesOf(body),
    ["face", "missing", "a"].map((name) => `https://x.example/system/${name}.png`),
  );
});

test("a browser asks no host that the page it has open does not name", async () => {
  policy = "https://social.example";
  const kept = new Page(client, 600_000);
  const reopened = new Page(client, 0);
  const url = `https://${media}/a.png`;
  for (const page of [kept, reopened]) {
    assert.equal(await page.refuses(url, "t"), `the page's policy is without https://${media}`);
    assert.equal(await page.refuses(`https://${domain}/system/a.png`, "t"), undefined);
  }
  policy += ` https://${media}`;
  assert.ok(await kept.refuses(url, "t"), "the page is still the old one");
  await until("the page is opened anew", async () => (await reopened.refuses(url, "t")) === undefined);
});

test("people open what their timelines show, and each broken picture is counted", async () => {
  const { port, dns, dir, certificate } = web;
  const accounts = [{ id: "1", username: "user1", token: "t" }];
  const usual = {
    domain,
    port,
    dns,
    dir,
    ca: certificate.cert,
    accounts,
    streams: 0,
    rate: 2,
    readsPerWrite: 30,
  };
  const people = new Crowd(usual);
  await until("all of them", () => people.stats().pictures.broken > 0 && people.stats().pictures.opened > 5);
  const { pictures } = await people.stop();
  assert.deepEqual(Object.keys(pictures.faults), ["404"]);
  assert.equal(pictures.opened, records().length);
  assert.equal(pictures.broken, records().filter((r) => !r.ok).length);
});

test("remote servers keep the addresses from before and look at them again", async () => {
  const { port: instancePort, dns, dir, certificate } = web;
  const own = { hosts: ["remote1.example"], actorsPerHost: 1, targets: [], rate: 0, timeScale: 0.001 };
  const place = { domain, dns, dir, certificate, ca: certificate.cert, instancePort };
  const f = await Fediverse.start({
    ...place,
    ...own,
    linkRate: 50,
    address: "127.0.0.3",
    port: instancePort,
  });
  await until("looks at each", () => f.stats().links.broken > 1 && f.stats().links.opened > 10);
  await f.stop();
  assert.ok(records().every((r) => r.who === "remotes" && r.url.startsWith(`https://${domain}`)));
});
