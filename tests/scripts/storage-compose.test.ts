/** The storage steps on a Compose project: the same ones, with other commands below them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mediaHost, StorageLab } from "./storage";
import { Uploaders } from "./uploaders";

let it: StorageLab;
let people: Uploaders;
before(async () => {
  it = await StorageLab.boot("other", {}, "compose");
});
after(async () => {
  await people?.stop();
  await it.stop();
});

const env = () => it.host.sh("cat /opt/mastodon/.env.production").then((r) => r.stdout);
const containers = () =>
  it.host.sh("podman ps --all --format '{{.Names}}' | sort | xargs").then((r) => r.stdout.trim());

/** What the app's containers said of what went wrong, also those that are gone. */
const troubles = () =>
  it.host
    .sh("journalctl -q -o short-iso --grep='Storage server error|\\[ERROR\\]' | tail -n 20 || true")
    .then((r) => r.stdout);

test("the survey finds the project, its database's rows, and its media", async () => {
  const { unread, mastodon, postgres, media, nginx } = await it.survey();
  assert.deepEqual(unread, []);
  assert.deepEqual(mastodon?.compose, {
    ...{ dir: "/opt/mastodon", files: ["/opt/mastodon/docker-compose.yml"], project: "mastodon" },
    ...{ cli: "docker compose", envFormat: "verbatim", database: "db", media: "/opt/mastodon/public/system" },
    ...{ webAddress: "127.0.0.1:3000", streamingAddresses: ["127.0.0.1:4000"] },
  });
  assert.deepEqual([mastodon?.version, mastodon?.uid, postgres?.database?.name], ["4.5.15", 991, "postgres"]);
  assert.ok(media?.rows?.withoutRow !== null && (media?.rows?.suspended ?? 0) > 0, JSON.stringify(media));
  assert.deepEqual(nginx?.sites, ["/etc/nginx/sites-available/mastodon"]);
});

const steps = ["tools", "host", "announce", "prune", "copy", "follow", "check", "links"].map(
  (s) => `storage/${s}`,
);

test("there: nobody fails, also when the switch is cut off in the middle", async () => {
  people = await Uploaders.start(it);
  const before = await containers();
  for (const name of steps) await it.must(name);
  for (const seconds of [10, 25]) await it.cutOff("storage/switch", seconds);
  await it.must("storage/switch");
  assert.equal((await it.must("storage/switch")).outcome, "unchanged");
  const now = await env();
  for (const line of it.settings["STORAGE_ENV"]!.split("\n"))
    assert.ok(now.includes(`${line}\n`), line.split("=")[0]);
  assert.equal(await containers(), before);
  await it.must("storage/follow", "absent");
  const found = (await it.must("storage/verify")).result["verified"] as Record<string, number>;
  assert.deepEqual([found["missing"], found["wrong"]], [0, 0], JSON.stringify(found));
  assert.deepEqual(await people.failures(), [], await troubles());
});

test("back: what was uploaded to the bucket is on the disk, and all is as it was", async () => {
  await it.must("storage/verify", "absent");
  await it.cutOff("storage/switch", 12, "absent");
  await it.must("storage/switch", "absent");
  for (const name of [...steps].reverse()) {
    if (name === "storage/host") await people.stop();
    await it.must(name, "absent");
  }
  assert.deepEqual(await people.failures(), [], await troubles());
  assert.deepEqual(await people.missing(), []);
  assert.doesNotMatch(await env(), new RegExp(`S3_ENABLED=true|${mediaHost}`));
  const left = await it.host.sh(
    "ls -d /etc/trunkline /var/lib/trunkline /opt/trunkline /etc/nginx/trunkline 2>/dev/null || true; grep -rl -i trunkline /etc/nginx || true",
  );
  assert.equal(left.stdout, "");
});
