import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { latestOf } from "../../survey/latest";
import { Instance, prepare } from "./instance";

let it: Instance;

before(async () => {
  it = await Instance.boot({ environment: { ODD_ONE: 'a "b" $c #d é' } });
  await it.source.sh(
    "mkdir -p '/home/mastodon/own scripts'; echo x >'/home/mastodon/own scripts/a b.sh'; chown -R mastodon: /home/mastodon/own*",
  );
});
after(() => it.stop());

const hash =
  "cd /home/mastodon; find . \\( -path ./live/public/system -o -path ./live/tmp -o -path ./live/log -o -name .env.production -o -name .ssh \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum";

test("each step killed at any moment and run again comes to its end; a second time it changes nothing", async () => {
  for (const name of prepare) {
    for (const seconds of [0.15, 0.6]) await it.cutOff(name, seconds);
    await it.must(name);
    assert.equal((await it.must(name)).outcome, "unchanged", name);
  }
});

test("the tree is the source's, byte for byte, and nothing of it runs", async () => {
  assert.equal((await it.target.sh(hash)).stdout, (await it.source.sh(hash)).stdout);
  assert.equal(
    (await it.target.sh("stat -c '%U:%G %u %a' /home/mastodon/live")).stdout,
    (await it.source.sh("stat -c '%U:%G %u %a' /home/mastodon/live")).stdout,
  );
  assert.doesNotMatch(
    (await it.target.sh("systemctl is-active mastodon-web mastodon-sidekiq || true")).stdout,
    /^active/m,
  );
  assert.equal(
    (
      await it.target.sh(
        "test -e /home/mastodon/live/public/system && ls /home/mastodon/live/public/system || true",
      )
    ).stdout,
    "",
  );
});

test("a file that is gone on the source goes on the target, and a new one comes", async () => {
  await it.source.sh(
    "rm '/home/mastodon/own scripts/a b.sh'; echo y >/home/mastodon/live/new.rb; chown mastodon: /home/mastodon/live/new.rb",
  );
  assert.equal((await it.must("app/tree")).outcome, "changed");
  assert.equal((await it.target.sh(hash)).stdout, (await it.source.sh(hash)).stdout);
});

test(".env.production: only the host's own variables differ, and the file's rights stay", async () => {
  const read = async (side: "source" | "target") =>
    (await it.host(side).sh("cat /home/mastodon/live/.env.production")).stdout.split("\n");
  const [theirs, ours] = [await read("source"), await read("target")];
  const changed = ours.filter((line) => !theirs.includes(line)).map((line) => line.split("=")[0]);
  assert.deepEqual(changed.sort(), [
    "DB_HOST",
    "DB_PORT",
    "PREPARED_STATEMENTS",
    "REDIS_PORT",
    "TRUSTED_PROXY_IP",
  ]);
  const own = new Set(changed);
  assert.deepEqual(
    theirs.filter((l) => !own.has(l.split("=")[0]!)),
    ours.filter((l) => !own.has(l.split("=")[0]!)),
  );
  assert.match(
    (await it.target.sh("stat -c '%a %U' /home/mastodon/live/.env.production")).stdout,
    /^6[04]0 mastodon/,
  );
});

test("a source that is upgraded, set otherwise and given new certificates: the survey tells, and it is carried again", async () => {
  const seen = async () => latestOf(await it.survey("source"));
  const before = await seen();
  await it.source.sh(
    "curl -s -o /dev/null -k --resolve social.example:443:127.0.0.1 https://social.example/about",
  );
  assert.deepEqual(await seen(), before, "a source in use, and not changed");
  const renewed = await it.lab.ca.certificateFor(["social.example"]);
  await it.source.put(it.settings["TLS_CERT"]!, renewed.cert);
  await it.source.put(it.settings["TLS_KEY"]!, renewed.key);
  await it.source
    .sh(`cd /home/mastodon/live; cp -p .env.production /root/env; cp -p lib/mastodon/version.rb /root/
    sed -i '/def patch/,/end/s/[0-9]\\+/99/' lib/mastodon/version.rb; echo SMTP_SERVER=mx.social.example >>.env.production`);
  const after = await seen();
  for (const part of ["version", "tree", "env", "pairs"] as const)
    assert.notEqual(after[part], before[part], part);
  assert.equal(after.site, before.site);

  const early = await it.step("app/tree");
  assert.match(early.stderr, /expected Mastodon 4.5.15 in .*, as the survey found it; found 4.5.99/);
  assert.equal(
    (await it.must("app/tree", "present", { MASTODON_VERSION: after.version! })).result["version"],
    "4.5.99",
  );
  for (const name of ["app/secrets", "web/certificates"])
    assert.equal((await it.must(name)).outcome, "changed", name);
  for (const file of ["/var/lib/trunkline/source.env", "/home/mastodon/live/.env.production"])
    await it.target.sh(`grep -qx SMTP_SERVER=mx.social.example ${file}`);
  const serial = "openssl x509 -noout -serial";
  const served = `openssl s_client -connect 127.0.0.1:443 -servername social.example </dev/null 2>/dev/null | ${serial}`;
  const wanted = (await it.source.sh(`${serial} -in ${it.settings["TLS_CERT"]}`)).stdout;
  assert.equal((await it.target.sh(served)).stdout, wanted);

  await it.source.sh(
    "cd /home/mastodon/live; cp -p /root/env .env.production; cp -p /root/version.rb lib/mastodon/",
  );
  await it.forward("app/tree", "app/secrets");
});

test("secrets are on no command line and in no journal", async () => {
  const secret = (
    await it.source.sh("sed -n 's/^SECRET_KEY_BASE=//p' /home/mastodon/live/.env.production")
  ).stdout.trim();
  for (const host of [it.source, it.target])
    assert.equal((await host.sh(`journalctl -o cat | grep -cF '${secret}' || true`)).stdout.trim(), "0");
});

test("a variable that a unit sets itself does not win over the file on the target", async () => {
  await it.source.sh(
    "mkdir -p /etc/systemd/system/mastodon-web.service.d; printf '[Service]\\nEnvironment=DB_HOST=10.0.0.9 REDIS_URL=redis://x\\n' >/etc/systemd/system/mastodon-web.service.d/admin.conf; systemctl daemon-reload",
  );
  await it.forward("app/tree", "app/secrets");
  assert.match((await it.target.sh("systemctl show -P UnsetEnvironment mastodon-web")).stdout, /DB_HOST/);
  await it.source.sh("rm /etc/systemd/system/mastodon-web.service.d/admin.conf; systemctl daemon-reload");
});

test("another user with the same id is told, not overwritten", async () => {
  const answer = await it.step("host/base", "present", { APP_USER: "masto", APP_UID: "1", APP_GID: "1" });
  assert.match(answer.stderr, /expected user id 1 to be free for masto; found it is daemon's/);
});

test("the certificate is checked before it is used", async () => {
  const other = await it.lab.ca.certificateFor(["other.example"]);
  await it.source.put("/root/fullchain.pem", other.cert);
  await it.source.put("/root/privkey.pem", other.key);
  await it.must("access/grant", "present", { TLS_CERT: "/root/fullchain.pem", TLS_KEY: "/root/privkey.pem" });
  const answer = await it.step("web/certificates");
  assert.match(answer.stderr, /for social\.example to cover it/);
  await it.must("access/grant");
});

test("without an app the inbox answers 503, a picture that is nowhere is no 404 as long as the source is out of reach", async () => {
  const ask = (path: string, ...more: string[]) =>
    it.target.exec(
      [
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--resolve",
        "social.example:443:127.0.0.1",
        ...more,
        `https://social.example${path}`,
      ],
      { allowFail: true },
    );
  assert.equal((await ask("/inbox", "-d", "{}")).stdout, "503");
  assert.equal((await ask("/users/user01/inbox", "-d", "{}")).stdout, "503");
  assert.equal((await ask("/about")).stdout, "503");
  assert.equal((await ask("/system/accounts/none.png")).stdout, "503");
  assert.equal((await ask("/packs/none.js")).stdout, "404");
});

test("a configuration that nginx does not like is not left behind", async () => {
  await it.target.sh(
    "printf 'broken {' >/etc/nginx/conf.d/broken.conf; rm /etc/nginx/sites-enabled/trunkline",
  );
  const answer = await it.step("web/site");
  assert.match(answer.stderr, /expected nginx to accept its configuration; found .*broken/s);
  assert.equal((await it.target.sh("ls /etc/nginx/sites-enabled")).stdout.includes("trunkline"), false);
  await it.target.sh("rm /etc/nginx/conf.d/broken.conf");
  await it.must("web/site");
});

test("far from its database the web process gets more threads, the same number twice, and its own again afterwards", async () => {
  const call = (fn: string) =>
    it.target.sh(
      `set +u; shopt -s lastpipe; export scripts=/opt/trunkline/scripts step=test; . "$scripts/lib.sh"; . "$scripts/lib/app.sh"; . "$scripts/app/threads.sh"
      SIDE=target APP_DIR=/home/mastodon/live WEB_UNITS=mastodon-web SOURCE_ADDRESS=${it.source.address} SOURCE_SSH_PORT=22; ${fn} >&2
      systemctl show -P Environment mastodon-web | tr ' ' '\\n' | grep -E 'MAX_THREADS|DB_POOL' || true`,
    );
  assert.equal((await call("more_threads")).stdout, "", "they are next to each other");
  // So far that it is five times as many, however long a busy machine makes each round trip seem.
  await it.lab.setRtt(40);
  for (const time of ["first", "second"])
    assert.equal((await call("more_threads")).stdout, "MAX_THREADS=25\nDB_POOL=25\n", time);
  assert.equal((await call("usual_threads")).stdout, "");
  await it.lab.setRtt(0);
});

test("going back takes everything off the target again", async () => {
  for (const name of [...prepare].reverse()) if (name !== "access/grant") await it.must(name, "absent");
  const left = await it.target.sh(
    "ls -d /home/mastodon /etc/trunkline /var/lib/trunkline /opt/trunkline /etc/systemd/system/mastodon* /etc/nginx/sites-enabled/trunkline 2>/dev/null || true; find /etc/trunkline /var/lib/trunkline 2>/dev/null || true; id mastodon 2>/dev/null || true",
  );
  assert.equal(left.stdout, "");
});

test("the app's group goes with its user, but not one that was there before, or that others are in", async () => {
  const there = async () => (await it.target.sh("getent group mastodon || true")).stdout !== "";
  const thereAndBack = async (before: string, meanwhile = "") => {
    await it.target.sh(before);
    await it.upload(it.target);
    await it.must("host/base");
    await it.target.sh(meanwhile);
    const { stderr } = await it.must("host/base", "absent");
    assert.equal((await it.target.sh("id mastodon 2>/dev/null || true")).stdout, "");
    return stderr;
  };
  await thereAndBack("sed -i.was 's/^USERGROUPS_ENAB.*/USERGROUPS_ENAB no/' /etc/login.defs");
  assert.equal(await there(), false, "made, and taken away again");
  await it.target.sh("mv /etc/login.defs.was /etc/login.defs");

  const said = await thereAndBack("", "useradd --no-create-home --gid mastodon another");
  assert.equal(await there(), true, "somebody else's too");
  assert.match(said, /others are in it: another$/m);
  await it.target.sh("userdel another; groupdel mastodon");

  await thereAndBack(`groupadd --gid ${it.settings["APP_GID"]} mastodon`);
  assert.equal(await there(), true, "there before");
  await it.target.sh("groupdel mastodon");
});

test("a home with somebody's files is left alone, one as every new user has it is taken", async () => {
  await it.upload(it.target);
  await it.must("host/base");
  await it.target.sh(
    "mkhomedir_helper mastodon 2>/dev/null || cp -rT /etc/skel /home/mastodon; mkdir -p /home/mastodon/.ssh /home/mastodon/mail; touch /home/mastodon/.ssh/authorized_keys /home/mastodon/mail/letter; chown -R mastodon: /home/mastodon",
  );
  // Also where the media are in a bucket, and none are waited for.
  for (const MEDIA_DIR of [it.settings["MEDIA_DIR"]!, ""])
    assert.match(
      (await it.step("app/tree", "present", { MEDIA_DIR })).stderr,
      /expected \/home\/mastodon on the target to hold nobody's files; found 1 of them, as .*letter/,
    );
  await it.target.sh("rm /home/mastodon/mail/letter; test -e /home/mastodon/.bashrc");
  await it.must("app/tree");
  assert.equal((await it.must("app/tree")).outcome, "unchanged");
  await it.target.sh("test -e /home/mastodon/.ssh/authorized_keys");
});
