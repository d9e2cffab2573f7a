import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bucket, domain, media, mediaHost, StorageLab } from "./storage";
import { Uploaders } from "./uploaders";

let it: StorageLab;
let people: Uploaders;
before(async () => {
  it = await StorageLab.boot();
});
after(async () => {
  await people?.stop();
  await it.stop();
});

const env = () => it.host.sh("cat /home/mastodon/live/.env.production").then((r) => r.stdout);
const ready = [
  "storage/tools",
  "storage/host",
  "storage/announce",
  "storage/prune",
  "storage/copy",
  "storage/follow",
  "storage/check",
  "storage/links",
];

test("the media host answers with a certificate for it, from the bucket and, for what is not there yet, from the disk", async () => {
  await it.must("storage/tools");
  await it.cutOff("storage/host", 0.4);
  await it.must("storage/host");
  assert.equal((await it.must("storage/host")).outcome, "unchanged");
  const key = (
    await it.host.sh(`cd ${media}; find media_attachments -type f -perm 0644 -print -quit`)
  ).stdout.trim();
  assert.equal((await it.get(`https://${mediaHost}/${key}`)).status, 200);
  assert.equal((await it.get(`https://${mediaHost}/`)).status, 404);
  assert.equal((await it.get(`https://${mediaHost}/none.png`)).status, 404);
});

test("beside a site that listens on an address of its own the media host is there too", async () => {
  const site = `"$(readlink -f ${it.settings["NGINX_SITE"]})"`;
  await it.must("storage/host", "absent");
  await it.host.sh(`cp ${site} /root/site
    sed -i -E '/listen \\[/d; s/listen (80|443)/listen ${it.host.address}:\\1/' ${site}; systemctl restart nginx`);
  assert.equal(await listening(), `${it.host.address}:443 ${it.host.address}:80`);
  await it.must("storage/host");
  assert.equal((await it.get(`https://${mediaHost}/none.png`)).status, 404);
  assert.match((await it.get(`http://${mediaHost}/a.png`)).headers, /location: https:\/\/media\./);
  assert.equal((await it.must("storage/host")).outcome, "unchanged");
  await it.host.sh(`cat /root/site > ${site}; rm /root/site; systemctl restart nginx`);
  await it.must("storage/host");
});

/** The addresses of nginx, sorted. */
async function listening(): Promise<string> {
  const { stdout } = await it.host.sh(`ss -Hltnp | grep '"nginx"' | awk '{ print $4 }' | sort`);
  return stdout.trim().split("\n").join(" ");
}

test("a certificate that does not cover the media host is refused with what to do", async () => {
  await it.host.sh("mv /usr/bin/certbot /root/");
  const answer = await it.step("storage/host", "present", { MEDIA_HOST: "files.elsewhere.example" });
  await it.host.sh("mv /root/certbot /usr/bin/");
  assert.match(answer.stderr, /expected a certificate for files.elsewhere.example.*certbot/s);
});

test("browsers are told of the media host without a failed request", async () => {
  people = await Uploaders.start(it);
  await it.cutOff("storage/announce", 4);
  const answer = await it.must("storage/announce");
  assert.match(await env(), /^EXTRA_MEDIA_HOSTS=https:\/\/media.social.example$/m);
  assert.match(String(answer.result["safeFrom"]), /^20\d\d-/);
  assert.equal((await it.must("storage/announce")).outcome, "unchanged");
  assert.deepEqual(await people.failures(), []);
});

test("the check passes, and names a private object, a wrong prefix, a listing, a missing header", async () => {
  await it.must("storage/copy");
  await it.must("storage/follow");
  await it.must("storage/check");
  await it.must("storage/check");
});

const sidekiq = () =>
  it.host
    .sh(`systemctl show --property ActiveState,MainPID -- ${it.settings["SIDEKIQ_UNITS"]}`)
    .then((r) => r.stdout);

test("a secret that the app's file of variables can't hold is refused, by its name, before anything stops", async () => {
  const [secret, before] = ["it's $one", await sidekiq()];
  const words = it.settings["STORAGE_ENV"]!.replace(
    /^AWS_SECRET_ACCESS_KEY=.*$/m,
    () => `AWS_SECRET_ACCESS_KEY=${secret}`,
  );
  for (const name of ["storage/tools", "storage/switch"]) {
    const answer = await it.step(name, "present", { STORAGE_ENV: words });
    assert.match(answer.stderr, /AWS_SECRET_ACCESS_KEY.*What to do:.*mediaSecretKey/s, name);
    assert.ok(!answer.stderr.includes(secret), "a secret was told");
  }
  assert.match(before, /^ActiveState=active$/m);
  assert.equal(await sidekiq(), before);
});

test("what fails before the app's variables have changed leaves Sidekiq at work", async () => {
  const [file, before] = ["/home/mastodon/live/.env.production", await env()];
  // Another file can't take the place of one that something is mounted on.
  await it.host.sh(`mount --bind ${file} ${file}`);
  const answer = await it.step("storage/switch");
  await it.host.sh(`umount ${file}`);
  assert.notEqual(answer.code, 0);
  assert.match(answer.stderr, /Sidekiq works again/);
  assert.match(await sidekiq(), /^ActiveState=active$/m);
  assert.equal(await env(), before);
});

test("a second web process that dies of the new variables leaves the old ones, and Sidekiq at work", async () => {
  const [unit, before] = [it.settings["WEB_UNITS"]!.split(" ")[0]!, await env()];
  const dropIn = `/run/systemd/system/${unit}.d/dies.conf`;
  const dies = "[Service]\\nExecStartPre=/bin/sh -c '! grep -qx S3_ENABLED=true .env.production'\\n";
  await it.host.sh(`printf "${dies}" | install -D -m 0644 /dev/stdin ${dropIn}; systemctl daemon-reload`);
  const answer = await it.step("storage/switch");
  await it.host.sh(`rm ${dropIn}; systemctl daemon-reload`);
  assert.notEqual(answer.code, 0);
  assert.match(answer.stderr, /Sidekiq works again/);
  assert.match(await sidekiq(), /^ActiveState=active$/m);
  assert.equal(await env(), before);
});

test("a web process that came back with the new variables, which are gone again, is started anew", async () => {
  await people.stop();
  const [unit, before] = [it.settings["WEB_UNITS"]!.split(" ")[0]!, await env()];
  // The second web process takes the first one's memory, as it were, and does not come up itself.
  await it.host.put(
    "/usr/local/bin/starve",
    `#!/bin/sh
[ "$PORT" = 13000 ] && grep -qx S3_ENABLED=true .env.production || exit 0
kill -9 "$(systemctl show -p MainPID --value ${unit})"
until curl -sf http://127.0.0.1:3000/health; do sleep 0.2; done
exit 1
`,
    0o755,
  );
  const dropIn = `/run/systemd/system/${unit}.d/starve.conf`;
  await it.host.put(dropIn, "[Service]\nExecStartPre=/usr/local/bin/starve\n");
  await it.host.sh("systemctl daemon-reload");
  const answer = await it.step("storage/switch");
  await it.host.sh(`rm ${dropIn} /usr/local/bin/starve; systemctl daemon-reload`);
  assert.match(answer.stderr, /Sidekiq works again/);
  assert.equal(await env(), before);
  const { status, url } = await post();
  assert.deepEqual([status, new URL(url).host], [200, domain]);
  people = await Uploaders.start(it);
});

test("an nginx that can't be led to two web processes is refused before anything stops", async () => {
  const before = await sidekiq();
  const site = (await it.host.sh("grep -lR proxy_pass /etc/nginx/sites-enabled | head -1")).stdout.trim();
  const whole = (await it.host.sh(`cat "$(readlink -f ${site})"`)).stdout;
  await it.host.sh(
    `sed -i 's,proxy_pass http://backend;,include snippets/apart.conf;,' "$(readlink -f ${site})"`,
  );
  await it.host.put("/etc/nginx/snippets/apart.conf", "proxy_pass http://127.0.0.1:3000;\n");
  await it.host.sh("nginx -t && systemctl reload nginx");
  const answer = await it.step("storage/switch");
  await it.host.put("/etc/nginx/whole", whole);
  await it.host.sh(
    `cat /etc/nginx/whole > "$(readlink -f ${site})"; rm /etc/nginx/whole; systemctl reload nginx`,
  );
  assert.match(answer.stderr, /snippets\/apart.conf.*outside of a `server` block.*What to do/s);
  assert.equal(await sidekiq(), before);
});

test("an upstream in a file of its own is found with the site that uses it", async () => {
  const site = (await it.host.sh(`readlink -f ${it.settings["NGINX_SITE"]}`)).stdout.trim();
  // It stays there to the end of these tests.
  await it.host.sh(`sed -n '/^upstream backend {/,/^}/p' ${site} > /etc/nginx/conf.d/upstream.conf
    sed -i '/^upstream backend {/,/^}/d' ${site}; nginx -t && systemctl reload nginx`);
  const route = "python3 -B /opt/trunkline/scripts/storage/route.py";
  const { stdout } = await it.host.sh(`${route} files 127.0.0.1:3000 13000`);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["/etc/nginx/conf.d/upstream.conf", site]);
});

/** Posts a picture as a person does. */
async function post(): Promise<{ status: number; url: string }> {
  await it.host.sh(
    `cd ${media}; cp "$(find media_attachments -name '*.png' -perm 0644 -print -quit)" /root/p.png`,
  );
  const curl = ["curl", "-sS", "-w", "\\n%{http_code}", "-F", "file=@/root/p.png;type=image/png"];
  const token = `Authorization: Bearer ${it.installed.users[0]!.token}`;
  const argv = [...curl, "-H", token, `https://${domain}/api/v2/media`];
  const lines = (await it.host.exec(argv, { allowFail: true })).stdout.trim().split("\n");
  const status = Number(lines.at(-1));
  const { url } = (status === 200 ? JSON.parse(lines[0]!) : { url: "" }) as { url: string };
  return { status, url };
}

/** Posts a picture and looks at it: both statuses. */
async function postAndLook(): Promise<number[]> {
  const { status, url } = await post();
  return status === 200 ? [status, (await it.get(url)).status] : [status];
}

test("after a reboot in the middle of the switch the instance serves by itself", async () => {
  for (const name of ready) await it.must(name);
  assert.deepEqual(await people.failures(), []);
  await people.stop();
  const cutOff = it.step("storage/switch").catch(() => undefined);
  const led = "test -e /var/lib/trunkline/storage.routed && systemctl -q is-active trunkline-next-web";
  const routed = `${led} && grep -rqs 13000 /etc/nginx/sites-available`;
  // Where it stands then it stays until the power goes.
  const stop = "pkill -STOP -f '^bash /opt/trunkline/scripts/run storage/switch'";
  await it.host.sh(`for i in $(seq 2400); do if ${routed}; then ${stop}; exit; fi; sleep 0.05; done; exit 1`);
  await it.host.reboot();
  await cutOff;
  await it.host.sh("test -e /var/lib/trunkline/storage.routed");
  let last: number[] = [];
  const serves = async () => (last = await postAndLook()).join() === "200,200";
  await it.until("a picture to be posted and looked at", serves, 120).catch((why: Error) => {
    throw new Error(`${why.message}: ${last.join()}`);
  });
  people = await Uploaders.start(it);
});

test("the switch loses nothing and fails nobody, also when it is cut off in the middle", async () => {
  const before = (await it.host.sh("cat /var/lib/trunkline/storage/env.file")).stdout;
  for (const seconds of [3, 6]) await it.cutOff("storage/switch", seconds);
  await it.must("storage/switch");
  assert.equal((await it.must("storage/switch")).outcome, "unchanged");
  const now = await env();
  for (const line of it.settings["STORAGE_ENV"]!.split("\n"))
    assert.ok(now.includes(`${line}\n`), line.split("=")[0]);
  const kept = before.split("\n").filter((line) => !line.startsWith("S3_ENABLED"));
  for (const line of kept) assert.ok(now.includes(line), line.split("=")[0]);
  assert.deepEqual(await people.failures(), []);
});

test("old links lead to the media host", async () => {
  const key = (
    await it.host.sh(`cd ${media}; find media_attachments -type f -perm 0644 -print -quit`)
  ).stdout.trim();
  const old = await it.get(`https://${domain}/system/${key}`);
  assert.equal(old.status, 302);
  assert.match(old.headers, new RegExp(`location: https://${mediaHost}/${key}\r`));
});

test("every key is accounted for, and what is lacking is mended from the disk", async () => {
  const key = (await it.host.sh(`cd ${media}; find accounts -type f -perm 0644 -print -quit`)).stdout.trim();
  await it.store.delete(bucket, key);
  const other = (
    await it.host.sh(`cd ${media}; find custom_emojis -type f -perm 0644 -print -quit`)
  ).stdout.trim();
  await it.store.put(bucket, other, "wrong");
  await it.must("storage/follow", "absent");
  const cutOff = it.step("storage/verify");
  const began = "until systemctl -q is-active trunkline-storage-verify; do sleep 0.02; done";
  await it.host.sh(`${began}; pkill -KILL -f '^bash /opt/trunkline/scripts/run storage/verify'`);
  assert.notEqual((await cutOff).code, 0);
  await it.until("what it began to end by itself", async () => {
    const { stdout } = await it.host.sh("systemctl show -P SubState trunkline-storage-verify");
    return stdout.trim() !== "running";
  });
  const found = (await it.must("storage/verify")).result["verified"] as Record<string, number>;
  assert.deepEqual([found["missing"], found["wrong"], found["mended"]], [0, 0, 2], JSON.stringify(found));
  assert.equal((await it.must("storage/verify")).outcome, "unchanged");
  assert.equal((await it.get(`https://${domain}/system/${key}`)).status, 301);
});

test("on the way back a file may be read by whom its account's row says, wherever the file was", async () => {
  const sql = async (text: string) => {
    const argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtqd", "mastodon_production", "-c", text];
    return (await it.host.exec(argv)).stdout.trim().split("\n");
  };
  const suspend = (id: string) =>
    sql(`UPDATE accounts SET suspended_at = ${now}, updated_at = ${now} WHERE id = ${id}`);
  const unsuspend = (id: string) =>
    sql(`UPDATE accounts SET suspended_at = NULL, updated_at = ${now} WHERE id = ${id}`);
  const now = "now() AT TIME ZONE 'UTC'";
  const back = (what: string) =>
    it.host.sh(`python3 -B /opt/trunkline/scripts/storage/back.py /etc/trunkline/storage.json ${what}`);
  const modes = async () => {
    const { stdout } = await it.host.sh(`cd ${media}; find . -type f ! -name '.*' -printf '%P\t%m\n'`);
    return new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("\t") as [string, string]),
    );
  };
  const before = await modes();
  /** Files that an account has posted: their folder is the row's id in threes. */
  const posted = async (suspended: boolean) => {
    const [id] = await sql(
      `SELECT account_id FROM media_attachments JOIN accounts a ON a.id = account_id WHERE file_file_name IS NOT NULL
       AND ${suspended ? "suspended_at IS NOT NULL" : "suspended_at IS NULL AND domain IS NOT NULL"}
       GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
    );
    const ids = await sql(`SELECT lpad(id::text, 18, '0') FROM media_attachments WHERE account_id = ${id}`);
    const folders = ids.map((text) => `/${text.match(/.../g)!.join("/")}/`);
    const keys = [...before.keys()].filter(
      (key) => key.includes("media_attachments/") && folders.some((folder) => key.includes(folder)),
    );
    const mode = suspended ? "600" : "644";
    assert.deepEqual([...new Set(keys.map((key) => before.get(key)))], [mode], `account ${id}`);
    return { id: id!, keys };
  };
  const [open, hidden] = [await posted(false), await posted(true)];

  await suspend(open.id);
  await unsuspend(hidden.id);
  await it.host.sh(`cd ${media}; rm ${open.keys[0]} ${hidden.keys[0]}`);
  await back("all");
  const turned = await modes();
  for (const key of open.keys) assert.equal(turned.get(key), "600", key);
  for (const key of hidden.keys) assert.equal(turned.get(key), "644", key);
  const others = [...before].filter(([key]) => !open.keys.includes(key) && !hidden.keys.includes(key));
  for (const [key, mode] of others) assert.equal(turned.get(key) ?? mode, mode, key);

  await unsuspend(open.id);
  await suspend(hidden.id);
  await it.host.sh(`cd ${media}; rm ${hidden.keys[0]}`);
  await back("changed");
  const again = await modes();
  for (const key of [...open.keys, ...hidden.keys]) assert.equal(again.get(key), before.get(key), key);
  for (const [key, mode] of others) assert.equal(again.get(key) ?? mode, mode, key);
});

test("a way back that fails before anyone is led to another process leaves old links as they lead", async () => {
  await it.must("storage/verify", "absent");
  const unit = it.settings["WEB_UNITS"]!.split(" ")[0]!;
  const dropIn = `/run/systemd/system/${unit}.d/dies.conf`;
  const dies = "[Service]\nExecStartPre=/bin/sh -c '! grep -qx S3_ENABLED=false .env.production'\n";
  const leads = () => it.host.sh("tail -n +1 /etc/nginx/trunkline/*.conf").then((r) => r.stdout);
  const before = [await leads(), await env()];
  await it.host.put(dropIn, dies);
  await it.host.sh("systemctl daemon-reload");
  const answer = await it.step("storage/switch", "absent");
  await it.host.sh(`rm ${dropIn}; systemctl daemon-reload`);
  assert.match(answer.stderr, /Sidekiq works again/);
  assert.deepEqual([await leads(), await env()], before);
  assert.match(await sidekiq(), /^ActiveState=active$/m);
});

test("back: what was uploaded to the bucket is on the disk, and all is as it was", async () => {
  await it.must("storage/verify", "absent");
  await it.cutOff("storage/switch", 6, "absent");
  await it.must("storage/switch", "absent");
  assert.equal((await it.must("storage/switch", "absent")).outcome, "unchanged");
  await it.must("storage/links", "absent");
  await it.must("storage/check", "absent");
  await it.must("storage/follow");
  const files = await it.files();
  await it.until("the bucket to be in step with the disk again", async () => {
    const objects = await it.objects();
    return [...files.keys()].every((key) => objects.has(key));
  });
  // Whoever kept a link to the media host loses it with the host.
  assert.deepEqual(await people.failures(), []);
  await people.stop();
  assert.deepEqual(await people.missing(), []);
  for (const name of [
    "storage/follow",
    "storage/copy",
    "storage/announce",
    "storage/host",
    "storage/tools",
  ]) {
    // The last one takes the scripts away with it: one that is cut off too late leaves none to run again.
    if (name !== "storage/tools") await it.cutOff(name, 0.3, "absent");
    await it.must(name, "absent");
  }
  assert.match(await env(), /^S3_ENABLED=false$/m);
  const left = await it.host.sh(
    "ls -d /etc/trunkline /var/lib/trunkline /opt/trunkline /etc/nginx/trunkline /etc/nginx/sites-*/trunkline-media /run/systemd/system/trunkline* 2>/dev/null || true; grep -rl -i trunkline /etc/nginx || true",
  );
  assert.equal(left.stdout, "");
});
