import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bucket, media, StorageLab } from "./storage";

let it: StorageLab;
before(async () => {
  it = await StorageLab.boot();
});
after(() => it.stop());

/** Files beyond the seed: names that have broken lists, shells and URLs before. */
const odd = ["a b+c%20é.png", "q?x=1&y#z.jpeg", "'quoted' \"$HOME\" `id`.mp4", "-dash.mp3", "ünï☃.webp"];

const same = async () => {
  const [files, objects] = await Promise.all([it.files(), it.objects()]);
  assert.deepEqual([...objects].sort(), [...files].sort());
  return files.size;
};

test("a key without a right is named, right by right", async () => {
  const weak = await it.store.makeKey({ bucket, rights: ["put", "get", "list"] });
  const answer = await it.step("storage/tools", "present", {
    ACCESS_KEY: weak.accessKey,
    SECRET_KEY: weak.secretKey,
  });
  assert.match(answer.stderr, /it can't delete an object: 403/);
  const wrong = await it.step("storage/tools", "present", { SECRET_KEY: `it's "wrong" $HOME \\` });
  assert.match(wrong.stderr, /put an object.*SignatureDoesNotMatch/s);
  const nowhere = await it.step("storage/tools", "present", { BUCKET: "no-such-bucket" });
  assert.match(nowhere.stderr, /it can't put an object/);
});

test("the right key passes, and its settings are for root alone", async () => {
  await it.cutOff("storage/tools", 0.3);
  await it.must("storage/tools");
  assert.equal((await it.must("storage/tools")).outcome, "unchanged");
  const { stdout } = await it.host.sh(
    "stat -c '%a %U' /etc/trunkline/storage.conf /etc/trunkline/storage.json",
  );
  assert.equal(stdout, "600 root\n600 root\n");
});

test("the bulk copy, killed and run again, ends with every file, as Mastodon would store it", async () => {
  for (const name of odd)
    await it.host.sh(
      `install -D -o mastodon /dev/stdin '${media}/accounts/avatars/000/000/900/original/${name.replaceAll("'", `'\\''`)}'`,
      { input: name },
    );
  await it.cutOff("storage/copy", 1.5);
  const answer = await it.must("storage/copy");
  assert.equal((await it.must("storage/copy")).outcome, "unchanged");
  const count = await same();
  assert.ok(count > 400, `${count} files`);
  assert.equal((answer.result["media"] as Record<string, number>)["withheld"], 0);
});

test("types, cache header and rights are Mastodon's own", async () => {
  const objects = [...(await it.objects()).keys()];
  const open = (
    await it.host.sh(
      `cd ${media}; find media_attachments accounts custom_emojis -type f -perm 0644 -printf '%p\\n'`,
    )
  ).stdout.split("\n");
  const types: Record<string, string> = {
    png: "image/png",
    jpeg: "image/jpeg",
    mp4: "video/mp4",
    mp3: "audio/mpeg",
    gif: "image/gif",
    webp: "image/webp",
  };
  const kinds = Object.entries(types).flatMap(([extension, type]) => {
    const key = open.find((k) => /^[\w/.]+$/.test(k) && k.endsWith(`.${extension}`));
    return key ? [{ key, type }] : [];
  });
  assert.ok(kinds.length >= 3, `only ${kinds.length} kinds of files`);
  for (const { key, type } of kinds) {
    const got = await it.get(`${it.store.publicUrl(bucket)}/${key}`);
    assert.equal(got.status, 200, key);
    assert.match(got.headers, new RegExp(`content-type: ${type}\r`), key);
    assert.match(got.headers, /cache-control: public, max-age=315576000, immutable\r/);
  }
  const secret = (
    await it.host.sh(`cd ${media}; find . -type f -perm 0600 -printf '%P\\n' | head -n 1`)
  ).stdout.trim();
  assert.equal((await it.get(`${it.store.publicUrl(bucket)}/${secret}`)).status, 403, secret);
  const archive = objects.find((k) => k.startsWith("backups/"))!;
  assert.equal((await it.get(`${it.store.publicUrl(bucket)}/${archive}`)).status, 403);
});

test("what is written, overwritten, made private or deleted is so in the bucket within seconds", async () => {
  await it.must("storage/follow");
  const folder = `${media}/media_attachments/files/113/555/001/222/333/444/original`;
  const key = folder.slice(media.length + 1);
  await it.host.sh(
    `install -d -o mastodon ${folder}; echo one >${folder}/a.png; echo one >${folder}/b.png; chmod 644 ${folder}/*`,
  );
  await it.until(
    "both",
    async () => (await it.objects()).has(`${key}/a.png`) && (await it.objects()).has(`${key}/b.png`),
  );
  await it.host.sh(`echo changed >${folder}/a.png; chmod 600 ${folder}/b.png`);
  await it.until("the change", async () => (await it.objects()).get(`${key}/a.png`) === 8);
  await it.until(
    "the new right",
    async () => (await it.get(`${it.store.publicUrl(bucket)}/${key}/b.png`)).status === 403,
  );
  await it.host.sh(`rm -r ${media}/media_attachments/files/113/555`);
  await it.until(
    "the deletion",
    async () => ![...(await it.objects()).keys()].some((k) => k.startsWith(key)),
  );
  await same();
});

test("a gap in which nobody watched is made up for: what came, what changed, what went", async () => {
  await it.must("storage/follow", "absent");
  assert.equal((await it.must("storage/follow", "absent")).outcome, "unchanged");
  const folder = `${media}/accounts/avatars/000/000/900/original`;
  await it.host.sh(`rm ${folder}/-dash.mp3; echo new >${folder}/new.png; printf xyz >'${folder}/ünï☃.webp'`);
  await it.store.put(bucket, "somebody-elses/notes.txt", "not of Mastodon");
  await it.must("storage/follow");
  await it.until(
    "the deletion",
    async () => !(await it.objects()).has("accounts/avatars/000/000/900/original/-dash.mp3"),
  );
  assert.ok((await it.objects()).has("somebody-elses/notes.txt"), "what is not Mastodon's was removed");
  await it.store.delete(bucket, "somebody-elses/notes.txt");
  await same();
});

test("a media folder that is not mounted when the follower starts is waited for, and nothing is deleted", async () => {
  const said = () => it.host.sh("tail -n 1 /run/trunkline/storage-follow.progress").then((r) => r.stdout);
  const before = await it.objects();
  await it.host.sh(`systemctl stop trunkline-storage-follow; mv ${media} ${media}.disk`);
  await it.host.sh("echo >/run/trunkline/storage-follow.progress; systemctl start trunkline-storage-follow");
  const waits = async () => (await said()).startsWith(`waiting: the media folder ${media} is not mounted`);
  await it.until("the follower to miss the folder", waits);
  // What is below a mount may have been written to.
  await it.host.sh(`install -D -o mastodon /dev/null ${media}/cache/below.png`);
  const answer = await it.step("storage/follow", "present", { FLUSH_SECONDS: "8" });
  assert.match(answer.stderr, /waiting: the media folder .* is not mounted/);
  assert.deepEqual(await it.objects(), before);
  await it.host.sh(`rm -r ${media}; mv ${media}.disk ${media}; echo back >${media}/accounts/back.png`);
  await it.must("storage/follow");
  assert.ok((await it.objects()).has("accounts/back.png"));
  await same();
  // It goes away under a follower that runs.
  const kept = await it.objects();
  await it.host.sh(`mv ${media} ${media}.disk; mkdir ${media}`);
  await it.until("the follower to miss the folder again", waits);
  await it.host.sh(`rm -r ${media}; mv ${media}.disk ${media}`);
  await it.must("storage/follow");
  assert.deepEqual(await it.objects(), kept);
  const { stdout } = await it.host.sh(
    "systemctl show --property RequiresMountsFor --value trunkline-storage-follow",
  );
  assert.ok(stdout.trim().split(" ").includes(media), stdout);
});

test("a file that became another of the same size, between two copies, is stored again", async () => {
  const key = "accounts/avatars/000/000/900/original/new.png";
  await it.must("storage/copy", "absent");
  assert.equal(
    (await it.host.sh(`find ${media} -maxdepth 1 -name '.*'`)).stdout,
    "",
    "a trace among the media",
  );
  await it.host.sh(`echo NEW >${media}/${key}`);
  await it.must("storage/copy");
  const { stdout } = await it.host.sh(`curl -sS '${it.store.publicUrl(bucket)}/${key}'`);
  assert.equal(stdout, "NEW\n");
});

test("a store that says SlowDown, breaks off or does not answer only makes it later", async () => {
  const folder = `${media}/accounts/avatars/000/000/901/original`;
  it.store.fail({ kind: "slowdown", times: 20 });
  it.store.fail({ kind: "truncate", times: 3, method: "PUT" });
  await it.host.sh(
    `install -d -o mastodon ${folder}; for i in $(seq 50); do echo $i >${folder}/$i.png; done`,
  );
  await it.must("storage/follow");
  await it.until(
    "all of them",
    async () => [...(await it.objects()).keys()].filter((k) => k.includes("/000/000/901/")).length === 50,
    120,
  );
  it.store.heal();
  await same();
});

test("without object rights what is private is withheld, and what becomes private is taken out", async () => {
  const acl = { OBJECT_ACL: "no", PERMISSION: "" };
  await it.must("storage/copy", "absent");
  await it.store.configure(bucket, { acl: "none", publicRead: true, blockPublicAcls: false });
  const answer = await it.must("storage/copy", "present", acl);
  assert.ok(Number((answer.result["media"] as Record<string, number>)["withheld"]) > 0);
  const archives = [...(await it.objects()).keys()].filter((k) => k.startsWith("backups/"));
  assert.deepEqual(archives, [], "what an earlier copy stored with rights of its own is taken out");
  const name = (
    await it.host.sh(
      `cd ${media}; find media_attachments accounts custom_emojis -type f -perm 0644 -print -quit`,
    )
  ).stdout.trim();
  await it.host.sh(`chmod 600 ${media}/${name}`);
  await it.until("it to be taken out", async () => !(await it.objects()).has(name));
  await it.host.sh(`chmod 644 ${media}/${name}`);
  await it.until("it to come back", async () => (await it.objects()).has(name));
});
