import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "../../rehearsal/lab/run";
import { Instance } from "./instance";

let it: Instance;
const keys = "/root/.ssh/authorized_keys";

before(async () => {
  it = await Instance.boot();
  await it.must("access/grant");
  await it.forward("host/base", "app/tree");
});
after(() => it.stop());

/** Asks the source as the target does. */
const ask = (...request: string[]) =>
  it.target.exec(["ssh", "-F", "/etc/trunkline/read.conf", "source", ...request], {
    allowFail: true,
    input: "",
  });

test("two lines are added, once, and the others stay", async () => {
  const before = (await it.source.sh(`cat ${keys}`)).stdout;
  assert.equal((await it.must("access/grant")).outcome, "unchanged");
  assert.equal((await it.source.sh(`cat ${keys}`)).stdout, before);
  assert.equal(before.split("\n").filter((line) => line.startsWith("restrict,")).length, 2);
  assert.match(before, /permitopen="127\.0\.0\.1:5432"/);
});

test("a key with options hidden in it is refused", async () => {
  const answer = await it.step("access/grant", "present", {
    READ_PUBLIC_KEY: 'command="sh" ssh-ed25519 AAAA x\nssh-ed25519 BBBB',
  });
  assert.notEqual(answer.code, 0);
  assert.match(answer.stderr, /^trunkline: access\/grant on old .*expected a public key[^\n]*\n$/);
});

for (const request of [
  "bash",
  "",
  "cat /etc/shadow",
  "read shadow",
  "clock; id",
  "rsync --server --sender -logDtpre.iLsfxCIvu . /etc/",
  "rsync --server --sender -logDtpre.iLsfxCIvu . home/../../etc/",
  "rsync --server --sender -logDtprLe.iLsfxCIvu . home/",
  "rsync --server --sender -e.iLsfxCIvu --rsync-path=sh . home/",
  "rsync --server --sender -se.LsfxCIvu",
  "rsync --server -logDtpre.iLsfxCIvu . home/",
  "rsync --server -logDtpre.iLsfxCIvu --delete . media/",
  "rsync --server --daemon .",
  "packages $(id)",
  "packages ../../etc",
  "programs $(id)",
  "programs ../bin/sh",
  "fingerprint short",
])
  test(`refused: ${request || "a shell"}`, async () => {
    const out = await ask(...(request ? [request] : []));
    assert.notEqual(out.code, 0);
    assert.match(out.stderr, /trunkline: refused/);
    assert.doesNotMatch(out.stdout, /root:/);
  });

test("a link that leads out of the home is not followed", async () => {
  await it.source.sh("ln -s /etc /home/mastodon/out");
  const out = await ask("rsync --server --sender -logDtpre.iLsfxCIvu . home/out/");
  assert.match(out.stderr, /leaves home/);
  await it.source.sh("rm /home/mastodon/out");
});

test("neither port nor shell is to be had with the read key, and every refusal is in the journal", async () => {
  const forward = await it.target.exec(
    [
      "ssh",
      "-F",
      "/etc/trunkline/read.conf",
      "-o",
      "ExitOnForwardFailure=yes",
      "-W",
      "127.0.0.1:5432",
      "source",
    ],
    { allowFail: true, input: "" },
  );
  assert.notEqual(forward.code, 0);
  assert.match(
    (await it.source.sh("journalctl -t trunkline-access -o cat")).stdout,
    /refused 198\.18\.1\.10: bash/,
  );
});

test("a source whose sshd opens forwarded ports to the network gets no tunnel", async () => {
  const says = (text: string) =>
    it.source.sh(`printf '${text}' >/etc/ssh/sshd_config.d/50-tunnels.conf; systemctl reload ssh`);
  await it.forward("access/grant", "database/publish", "switchover/agent");
  for (const text of ["GatewayPorts yes\\n", "Match Address 198.18.1.10\\n  GatewayPorts yes\\n"]) {
    await says(text);
    assert.match((await it.step("access/grant")).stderr, /found GatewayPorts yes\. .*clientspecified/);
  }
  const open = await it.step("tunnel/up");
  assert.match(open.stderr, /them open to everyone on .*\b0\.0\.0\.0:26379/);
  const listening = async () =>
    (await it.source.sh("ss -Hltn '( sport = :25432 or sport = :26379 )' | awk '{ print $4 }' | sort"))
      .stdout;
  await waitFor("the tunnel to be down", 20_000, async () => (await listening()) === "" || listening());
  await says("GatewayPorts clientspecified\\n");
  await it.forward("access/grant", "tunnel/up");
  assert.equal(await listening(), "127.0.0.1:25432\n127.0.0.1:26379\n");
  assert.equal((await it.must("tunnel/up")).outcome, "unchanged");
  await it.source.sh("rm /etc/ssh/sshd_config.d/50-tunnels.conf; systemctl reload ssh");
  for (const name of ["tunnel/up", "switchover/agent", "database/publish"]) await it.must(name, "absent");
});

test("a sudo user is granted the same", async () => {
  await it.source.sh(
    "useradd -m -s /bin/bash admin; echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin",
  );
  await it.must("access/grant", "present", { SOURCE_SSH_USER: "admin" });
  await it.must("app/secrets", "present", { SOURCE_SSH_USER: "admin" });
  await it.must("access/grant", "absent", { SOURCE_SSH_USER: "admin" });
  assert.equal(
    (await it.source.sh("cat /home/admin/.ssh/authorized_keys 2>/dev/null || echo none")).stdout,
    "none\n",
  );
});

test("going back takes the two lines away, and nothing else; then there is no trace", async () => {
  await it.upload(it.source);
  await it.source.sh(
    `rm -f /var/lib/trunkline/made-keys-file; echo '# last line without its end' >>${keys}; truncate -s -1 ${keys}`,
  );
  await it.must("access/grant");
  await it.must("access/grant", "absent");
  const left = (
    await it.source.sh(
      `cat ${keys}; ls -d /etc/trunkline /var/lib/trunkline /opt/trunkline 2>/dev/null || true`,
    )
  ).stdout;
  assert.equal(left, `${it.lab.operatorKey.public.trim()}\n# last line without its end\n`);
});
