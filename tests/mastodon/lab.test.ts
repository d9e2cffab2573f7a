import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { installMastodon } from "../../rehearsal/mastodon";
import { parseDotenv } from "../../rehearsal/mastodon/app/dotenv";
import { Encryption } from "../../rehearsal/mastodon/app/encryption";
import { picture } from "../../rehearsal/mastodon/app/picture";
import { Elsewhere } from "./elsewhere";
import { address, domain, json, Live, until } from "./live";

describe("a small instance on a host of the lab", () => {
  const elsewhere = new Elsewhere();
  let lab: Lab;
  let host: LabHost;
  let instance: Live;

  before(async () => {
    lab = await Lab.start();
    const authorizedKeys = [lab.operatorKey.public];
    host = await lab.boot("old", { address, side: "old", authorizedKeys });
    await elsewhere.start(await lab.ca.certificateFor(["elsewhere.example"]));
    const certificate = await lab.ca.certificateFor([domain]);
    const variant = { database: "tcp", redis: "password" } as const;
    const installed = await installMastodon(host, { domain, size: "small", certificate, variant });
    instance = new Live(host, installed, readFileSync(lab.ca.certPath));
  });
  after(async () => {
    elsewhere.stop();
    await lab.stop();
  });

  test("straight to Puma, only /health answers without the right headers", async () => {
    const puma = (args: string) =>
      host.sh(`curl -s -o /dev/null -w '%{http_code}' ${args}`).then((r) => Number(r.stdout));
    const base = "http://127.0.0.1:3000";
    assert.equal(await puma(`${base}/health`), 200);
    assert.equal(await puma(`${base}/api/v2/instance`), 403);
    assert.equal(await puma(`-H 'Host: ${domain}' ${base}/api/v2/instance`), 301);
    assert.equal(
      await puma(`-H 'Host: ${domain}' -H 'X-Forwarded-Proto: https' ${base}/api/v2/instance`),
      200,
    );
  });

  test("a post is kept once for each key, reaches the feed of a follower and the open stream", async () => {
    const [me] = instance.installed.users;
    const follower = Number(
      await instance.sql(`SELECT substr(a.username, 5)::int - 1 FROM follows f JOIN accounts a ON a.id = f.account_id
        WHERE f.target_account_id = ${me?.id} AND a.username LIKE 'user%' AND a.id <> ${me?.id} LIMIT 1`),
    );
    const token = instance.installed.users[follower]?.token;
    const socket = instance.connect(`user&access_token=${token}`);
    const events: string[] = [];
    socket.on("message", (m) => events.push(m.toString()));
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    await until(
      "the stream is announced",
      async () => (await instance.redis("KEYS", "subscribed:timeline:*")) !== "",
    );
    const key = { "idempotency-key": randomUUID() };
    const first = await instance.post(0, { status: "once" }, key);
    const second = await instance.post(0, { status: "once" }, key);
    assert.equal(first.status, 200, first.body.toString());
    assert.equal(json(first).id, json(second).id);
    const home = () => instance.ask("GET", "/api/v1/timelines/home", { headers: instance.as(follower) });
    await until("the post is in the feed", async () => (await home()).body.includes(json(first).id));
    await until("the post is on the stream", () => events.some((e) => e.includes(json(first).id)));
    socket.terminate();
  });

  test("a stream without a token is refused by the streaming server", async () => {
    const socket = instance.connect("public");
    const status = await new Promise((resolve) => {
      socket.on("unexpected-response", (_, r) => resolve(r.statusCode));
      socket.on("error", () => undefined);
    });
    assert.equal(status, 401);
  });

  test("an upload is served as it was sent, and can be posted once", async () => {
    const bytes = picture(9000);
    const media = await instance.upload(1, bytes);
    const file = await instance.ask("GET", new URL(String(media.url)).pathname);
    assert.deepEqual(file.body, bytes);
    assert.equal(file.headers["cache-control"], "public, max-age=2419200, immutable");
    const modes = (
      await host.sh(`stat -c %a:%U /home/mastodon/live/public${new URL(String(media.url)).pathname}`)
    ).stdout;
    assert.equal(modes.trim(), "644:mastodon");
    assert.equal((await instance.post(1, { status: "look", media_ids: [media.id] })).status, 200);
    assert.equal((await instance.post(1, { status: "again", media_ids: [media.id] })).status, 422);
  });

  test("files that the rows imply are there, those of suspended accounts for nobody else to read", async () => {
    const { files = 0 } = instance.installed.counts;
    const found = await host.sh(
      `cd /home/mastodon/live/public/system; find . -type f | wc -l; find . -type f -perm 600 | wc -l`,
    );
    const [all = 0, hidden = 0] = found.stdout.trim().split("\n").map(Number);
    assert.ok(all >= files && hidden >= 2, found.stdout);
  });

  test("tootctl answers and refuses what it does not know", async () => {
    const tootctl = (args: string) =>
      host.sh(
        `cd /; runuser -u mastodon -- env RAILS_ENV=production /home/mastodon/live/bin/tootctl ${args}`,
        { allowFail: true },
      );
    assert.equal((await tootctl("version")).stdout.trim(), "4.5.15");
    assert.match((await tootctl("media usage")).stdout, /^Attachments/m);
    assert.match(
      (await tootctl("media remove-orphans --dry-run")).stdout,
      /Removed 0 orphans .* \(DRY RUN\)/,
    );
    assert.match((await tootctl("media remove --days 0 --dry_run")).stdout, /Removed \d+ media attachments/);
    assert.match((await tootctl("feeds build --all")).stdout, /Regenerated feeds for \d+ accounts/);
    for (const bad of ["search deploy", "db dump", "media remove --nope", "maintenance fix-duplicates"])
      assert.equal((await tootctl(bad)).code, 1, bad);
  });

  test("the keys of the environment file open what is encrypted in the database", async () => {
    const text = (await host.exec(["cat", "/home/mastodon/live/.env.production"])).stdout;
    const stored = (await instance.sql("SELECT otp_secret FROM users WHERE otp_secret IS NOT NULL")).split(
      "\n",
    );
    const encryption = new Encryption(parseDotenv(text, "ruby"));
    assert.ok(stored.length >= 5);
    for (const secret of stored) assert.match(encryption.decrypt(secret), /^[0-9A-F]{40}$/);
    assert.throws(() => new Encryption({}).decrypt(stored[0] ?? ""));
  });

  test("an inbox wants a signature that fits", async () => {
    const [me] = instance.installed.users;
    const create = JSON.stringify({
      "@context": "https://www.w3.org/ns/activitystreams",
      id: `${elsewhere.uri}/statuses/1/activity`,
      type: "Create",
      actor: elsewhere.uri,
      object: {
        id: `${elsewhere.uri}/statuses/1`,
        type: "Note",
        content: "<p>hello</p>",
        to: ["https://www.w3.org/ns/activitystreams#Public"],
        tag: [{ type: "Mention", href: `https://${domain}/users/${me?.username}` }],
      },
    });
    const send = (headers: Record<string, string>, body = create) =>
      instance.ask("POST", "/inbox", { headers, body });
    assert.equal((await send({})).status, 401);
    assert.equal((await send(elsewhere.sign("/inbox", create), create + " ")).status, 401);
    assert.equal(
      (await send(elsewhere.sign("/inbox", create, new Date(Date.now() - 14 * 3600_000)))).status,
      401,
    );
    assert.equal((await send(elsewhere.sign("/users/owner/inbox", create))).status, 401);
    assert.equal((await instance.ask("GET", "/inbox")).status, 404);
    for (let n = 0; n < 2; n++) assert.equal((await send(elsewhere.sign("/inbox", create))).status, 202);
    const count = `SELECT count(*) FROM statuses WHERE uri = '${elsewhere.uri}/statuses/1'`;
    const notified = `SELECT count(*) FROM notifications n JOIN mentions m ON m.id = n.activity_id AND n.activity_type = 'Mention'
      JOIN statuses s ON s.id = m.status_id WHERE s.uri = '${elsewhere.uri}/statuses/1'`;
    await until("the note is kept and told", async () => (await instance.sql(notified)) === "1");
    assert.equal(await instance.sql(count), "1");
  });

  test("who follows from elsewhere is accepted and gets what is posted; a refusal ends it, a failure comes again", async () => {
    const [me] = instance.installed.users;
    const follow = JSON.stringify({
      id: `${elsewhere.uri}#f1`,
      type: "Follow",
      actor: elsewhere.uri,
      object: `https://${domain}/users/${me?.username}`,
    });
    await instance.ask("POST", "/inbox", { headers: elsewhere.sign("/inbox", follow), body: follow });
    await until("the follow is accepted", () => elsewhere.inbox.some((r) => r.activity.type === "Accept"));
    const arrived = (id: string) =>
      elsewhere.inbox.filter((r) => JSON.stringify(r.activity).includes(`/statuses/${id}`)).length;
    const good = json(await instance.post(0, { status: "to the world" }));
    await until("the post is delivered", () => arrived(good.id) === 1);
    assert.match(
      String(elsewhere.inbox.at(-1)?.headers.signature),
      /keyId="https:\/\/social.example\/users\/user01#main-key"/,
    );
    const retries = async () => Number(await instance.redis("ZCARD", "retry"));
    const before = await retries();
    elsewhere.answer = 404;
    const refused = json(await instance.post(0, { status: "refused" }));
    await until("it is tried", () => arrived(refused.id) === 1);
    elsewhere.answer = 503;
    const failed = json(await instance.post(0, { status: "failed" }));
    await until("it is tried", () => arrived(failed.id) === 1);
    await until("it waits for another try", async () => (await retries()) === before + 1);
    elsewhere.answer = 202;
    assert.match(await instance.redis("ZRANGE", "retry", "0", "-1"), new RegExp(`statuses/${failed.id}`));
  });

  test("Sidekiq that was told to be quiet finishes, says so, and takes nothing more", async () => {
    await host.sh("systemctl kill -s TSTP mastodon-sidekiq");
    const state = async () =>
      instance.redis("HMGET", await instance.redis("SRANDMEMBER", "processes"), "quiet", "busy");
    await until("the process is quiet", async () => (await state()) === "true\n0");
    const { id } = json(await instance.post(2, { status: "waits" }));
    const queued = () => instance.redis("LRANGE", "queue:default", "0", "-1");
    await until("the job waits", async () => (await queued()).includes(id));
    await host.sh("systemctl restart mastodon-sidekiq");
    await until("the job is done", async () => !(await queued()).includes(id));
    await until("one process is left", async () => (await instance.redis("SCARD", "processes")) === "1");
  });

  test("reads survive a restarted database, writes say 500 while Redis is read-only", async () => {
    await host.sh("systemctl restart postgresql");
    for (let n = 0; n < 5; n++)
      assert.equal((await instance.ask("GET", "/api/v1/timelines/public")).status, 200);
    await instance.redis("REPLICAOF", "127.0.0.1", "1");
    assert.equal((await instance.post(3, { status: "read-only" })).status, 500);
    assert.equal((await instance.ask("GET", "/api/v1/timelines/public")).status, 200);
    await instance.redis("REPLICAOF", "NO", "ONE");
    assert.equal((await instance.post(3, { status: "writable" })).status, 200);
  });

  test("after a power cut everything comes up by itself", async () => {
    await host.reboot();
    const up = () => instance.ask("GET", "/api/v2/instance").catch(() => undefined);
    await until("the site answers", async () => (await up())?.status === 200);
    await until("Sidekiq is there", async () => (await instance.redis("SCARD", "processes")) !== "0");
    const { id } = json(await instance.post(4, { status: "back" }));
    const mine = () => instance.ask("GET", "/api/v1/timelines/home", { headers: instance.as(4) });
    await until("the post is in the feed", async () => (await mine()).body.includes(id));
    assert.equal((await instance.ask("GET", "/api/v1/streaming/health")).status, 200);
  });

  test("requests are limited by the client's address, which proxies pass on", async () => {
    // Twice as many as are allowed, so that one of two periods is too full even if the clock turns meanwhile.
    const from = async (ip: string, times: number) => {
      const headers = `-H 'Host: ${domain}' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: ${ip}'`;
      const url = `http://127.0.0.1:3000/api/v1/instance/rules?[1-${times}]`;
      return (await host.sh(`curl -s -o /dev/null -w '%{http_code}\\n' ${headers} '${url}' | sort -u`))
        .stdout;
    };
    assert.equal(await from("203.0.113.1", 601), "200\n429\n");
    assert.equal(await from("203.0.113.2", 2), "200\n");
  });
});
