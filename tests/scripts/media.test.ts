import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { Instance, prepare, replicate } from "./instance";

let it: Instance;
const media = "/home/mastodon/live/public/system";

before(async () => {
  it = await Instance.boot();
  await it.forward(...prepare, ...replicate.slice(0, replicate.indexOf("media/copy")));
});
after(() => it.stop());

const sums = async (side: "source" | "target") =>
  (
    await it
      .host(side)
      .sh(`cd ${media}; find . -type f -printf '%m %U %p ' -exec sha256sum {} + 2>/dev/null | sort`)
  ).stdout;

/** Uploads a picture as a person does, to whichever server the address is of. */
async function upload(address: string): Promise<string> {
  const person = it.installed.users[0]!;
  await it.source.sh(`test -e /root/p.png || base64 -d >/root/p.png`, { input: png });
  const curl = ["curl", "-sS", "--fail-with-body", "--resolve", `social.example:443:${address}`];
  const out = await it.source.exec([
    ...curl,
    "-H",
    `Authorization: Bearer ${person.token}`,
    "-F",
    "file=@/root/p.png",
    "https://social.example/api/v2/media",
  ]);
  const { url } = JSON.parse(out.stdout) as { url: string };
  return new URL(url).pathname;
}

const status = async (address: string, file: string) =>
  (
    await it.source.exec([
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--resolve",
      `social.example:443:${address}`,
      `https://social.example${file}`,
    ])
  ).stdout;

test("the keys that rows tell are the files that are there", async () => {
  const out = await it.target.sh(`python3 - <<'END'
import os, sys
sys.path.insert(0, "/opt/trunkline/scripts/media")
import keys
rows = keys.Rows(["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", "mastodon_production"])
for key in rows.keys(): print(key)
END`);
  const told = new Set(out.stdout.trim().split("\n"));
  const there = (await it.source.sh(`cd ${media}; find . -type f -printf '%P\\n'`)).stdout.trim().split("\n");
  assert.deepEqual(
    there.filter((file) => !told.has(file)),
    [],
  );
  assert.deepEqual(
    [...told].filter((key) => !there.includes(key) && !key.startsWith("site_uploads/")),
    [],
  );
});

test("the bulk copy, killed and run again, ends with the same files, rights and owners", async () => {
  await it.source.sh(`mkdir ${media}/.trunkline`); // as a copy to a bucket does
  await it.cutOff("media/copy", 1);
  await it.must("media/copy");
  assert.equal((await it.must("media/copy")).outcome, "unchanged");
  assert.equal(await sums("target"), await sums("source"));
  await it.target.sh(`test ! -e ${media}/.trunkline`);
  await it.source.sh(`rmdir ${media}/.trunkline`);
});

test("what is uploaded afterwards follows within seconds", async () => {
  await it.must("media/follow");
  assert.equal((await it.must("media/follow")).outcome, "unchanged");
  const file = (await upload(it.source.address)).replace(/^\/system/, media);
  await it.target.sh(`for i in $(seq 300); do [ -e '${file}' ] && exit; sleep 0.2; done; exit 1`);
});

test("at the shift no link breaks: a file that is only on the source comes from there", async () => {
  await it.must("media/follow", "absent");
  assert.deepEqual((await it.must("gate/proxy")).result["refusals"], []);
  await it.forward("app/prove", "app/serve", "sidekiq/quiet", "web/proxy");
  assert.deepEqual((await it.must("gate/proxy")).result["refusals"], []);
  const late = "/system/media_attachments/files/000/000/001/original/late.png";
  await it.source.sh(`f=${media}${late.slice(7)}; install -D -o mastodon /dev/null $f; echo late >$f`);
  assert.equal(await status(it.target.address, late), "200");
  assert.equal(await status(it.source.address, late), "200");
  assert.equal(await status(it.target.address, "/system/none.png"), "404");
  const file = await upload(it.source.address);
  await it.target.sh(`test -e '${file.replace(/^\/system/, media)}'`);
  assert.equal(await status(it.source.address, file), "200");
});

test("the last pass finds what is missing, and what the source itself lacks", async () => {
  const lost = (await it.source.sh(`cd ${media}; find cache/accounts -type f -print -quit`)).stdout.trim();
  const gone = (
    await it.target.sh(`cd ${media}; f=$(find accounts -type f -print -quit); rm $f; echo $f`)
  ).stdout.trim();
  await it.source.sh(`rm ${media}/${lost}`);
  await it.target.sh(`rm ${media}/${lost}`);
  await it.cutOff("media/finish", 1);
  const answer = await it.must("media/finish");
  const { missing, missingOnSource } = answer.result["media"] as Record<string, number>;
  assert.equal(missing, 0);
  assert.ok(missingOnSource! >= 1);
  await it.target.sh(`test -e '${media}/${gone}'`);
  assert.equal((await it.must("media/finish")).outcome, "unchanged");
});

test("once the source's app is stopped, nothing is asked of the source any more", async () => {
  await it.forward("sidekiq/run", "app/stop");
  assert.equal((await it.must("app/stop")).outcome, "unchanged");
  await it.target.sh(
    "for i in $(seq 300); do grep -q 'every file is here' /etc/nginx/trunkline/media-source.conf && exit; sleep 0.2; done; exit 1",
  );
  assert.equal(await status(it.target.address, "/system/none.png"), "404");
});

test("on the way back the files that were uploaded to the target are on the source, and each unit is as it was", async () => {
  const file = await upload(it.source.address);
  for (const name of ["app/stop", "sidekiq/run", "media/finish", "web/proxy", "sidekiq/quiet", "app/serve"]) {
    await it.cutOff(name, 0.5, "absent");
    await it.must(name, "absent");
    if (name === "media/finish") assert.equal(await status(it.source.address, file), "200");
  }
  await it.must("media/follow");
  assert.equal(await status(it.source.address, file), "200");
  assert.match((await it.source.sh(`ls -l ${file.replace(/^\/system/, media)}`)).stdout, /mastodon mastodon/);
  const units = "mastodon-web mastodon-sidekiq mastodon-streaming@4000";
  assert.equal((await it.source.sh(`systemctl is-active ${units}`)).stdout, "active\nactive\nactive\n");
  assert.equal(
    (await it.source.sh("systemctl is-enabled mastodon-web mastodon-sidekiq")).stdout,
    "enabled\nenabled\n",
  );
  assert.equal(
    (
      await it.source.sh(
        "ls -A /var/lib/trunkline/saved/files 2>/dev/null; systemctl list-units --failed --no-legend",
      )
    ).stdout.includes("mastodon"),
    false,
  );
});

/** Keys of rows of every kind, as Mastodon lays them out. */
test("the path law", () => {
  const program = `
import json, sys
sys.path.insert(0, ${JSON.stringify(path.join(__dirname, "../../scripts/media"))})
import keys
named = {a.folder: a for a in keys.ATTACHMENTS}
for folder, row in json.load(sys.stdin): print(*keys.keys_of(named[folder], row))`;
  const rows = [
    ["media_attachments/files", ["109123456789012345", "a.jpeg", "image/jpeg", "1", "t", "0"]],
    ["media_attachments/files", ["1234", "a.jpeg", "image/jpeg", "1", "f", "0"]],
    ["media_attachments/files", ["1234", "a.mp4", "video/mp4", "", "t", "2"]],
    ["media_attachments/files", ["1234567890", "a.gif", "image/gif", "0", "t", "1"]],
    ["media_attachments/files", ["1", "a.mp3", "audio/mpeg", "1", "f", "4"]],
    ["accounts/avatars", ["7", "a.gif", "image/gif", "1", "t", ""]],
    ["custom_emojis/images", ["7", "a.png", "image/png", "1", "t", ""]],
    ["preview_cards/images", ["7", "a.jpg", "image/jpeg", "", "t", ""]],
    ["site_uploads/files", ["7", "a.jpg", "image/jpeg", "", "f", "thumbnail"]],
    ["backups/dumps", ["7", "archive.zip", "application/zip", "", "f", ""]],
  ];
  const out = execFileSync("python3", ["-c", program], { input: JSON.stringify(rows), encoding: "utf8" });
  assert.deepEqual(out.trim().split("\n"), [
    "cache/media_attachments/files/109/123/456/789/012/345/original/a.jpeg cache/media_attachments/files/109/123/456/789/012/345/small/a.jpeg",
    "media_attachments/files/000/001/234/original/a.jpeg media_attachments/files/000/001/234/small/a.jpeg",
    "media_attachments/files/000/001/234/original/a.mp4 media_attachments/files/000/001/234/small/a.png",
    "media_attachments/files/001/234/567/890/original/a.gif media_attachments/files/001/234/567/890/small/a.png",
    "media_attachments/files/000/000/001/original/a.mp3",
    "cache/accounts/avatars/000/000/007/original/a.gif cache/accounts/avatars/000/000/007/static/a.png",
    "cache/custom_emojis/images/000/000/007/original/a.png cache/custom_emojis/images/000/000/007/static/a.png",
    "preview_cards/images/000/000/007/original/a.jpg",
    "site_uploads/files/000/000/007/original/a.jpg site_uploads/files/000/000/007/@1x/a.png site_uploads/files/000/000/007/@2x/a.png",
    "backups/dumps/000/000/007/original/archive.zip",
  ]);
});

const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
