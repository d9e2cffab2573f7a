import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Lab, type LabHost, outside } from "../../rehearsal/lab";
import { run } from "../../rehearsal/lab/run";

let lab: Lab;
let old: LabHost;
let fresh: LabHost;

before(async () => {
  lab = await Lab.start();
  const authorizedKeys = [lab.operatorKey.public];
  [old, fresh] = await Promise.all([
    lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys }),
    lab.boot("new", { address: "198.18.1.10", side: "new", authorizedKeys, diskMiB: 200 }),
  ]);
});

after(() => lab.stop());

/** Milliseconds of the quickest of some pings, so that a busy machine does not count. */
async function rtt(): Promise<number> {
  const { stdout } = await old.sh(`ping -q -i 0.05 -c 20 ${fresh.address}`);
  return Number(/= ([\d.]+)\//.exec(stdout)?.[1]);
}

/** Whether an answer comes in so many seconds: one where none is expected, more where one is. */
const reaches = async (from: LabHost, to: LabHost, seconds: number) =>
  (await from.exec(["ping", "-c1", `-w${seconds}`, to.address], { allowFail: true })).code === 0;

test("a host is a whole system that starts nothing it was not asked for", async () => {
  const { stdout } = await old.sh(
    "hostname; systemctl is-system-running; ss -Hltn | awk '{print $4}' | sort -u",
  );
  assert.deepEqual(stdout.trim().split("\n"), ["old", "running", "0.0.0.0:22", "[::]:22"]);
});

test("services of the base system start when a host wants them, Postgres with a UTF-8 locale", async () => {
  await old.sh("systemctl start postgresql redis-server nginx");
  const { stdout } = await old.sh(
    "cd /; sudo -u postgres psql -Atc 'show server_encoding; ' -c 'select datcollate from pg_database limit 1'",
  );
  assert.equal(stdout, "UTF8\nen_US.UTF-8\n");
  assert.equal((await old.sh("redis-cli ping; node --version")).stdout, `PONG\n${process.version}\n`);
  await old.sh("systemctl stop postgresql redis-server nginx");
});

test("the operator logs in over SSH, with the host's key pinned, and so does one host at another", async () => {
  const known = `${old.address} ${old.hostKeyPublic}\n`;
  const options = [
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    "HostKeyAlgorithms=ssh-ed25519",
  ];
  const file = path.join(lab.dir, "known_hosts");
  writeFileSync(file, known);
  const here = await run(["ssh", "-i", lab.operatorKey.privatePath, "-o", `UserKnownHostsFile=${file}`, ...options, `root@${old.address}`, "hostname"]); // prettier-ignore
  assert.equal(here.stdout, "old\n");

  await fresh.put("/root/.ssh/id_ed25519", lab.operatorKey.private, 0o600);
  await fresh.put("/root/.ssh/known_hosts", known);
  const there = await fresh.exec(["ssh", ...options, `root@${old.address}`, "hostname"]);
  assert.equal(there.stdout, "old\n");

  await fresh.put("/root/.ssh/known_hosts", `${old.address} ${fresh.hostKeyPublic}\n`);
  const impostor = await fresh.exec(["ssh", ...options, `root@${old.address}`, "hostname"], {
    allowFail: true,
  });
  assert.match(impostor.stderr, /Host key verification failed/);
});

test("hosts trust the lab's authority, and nobody else's certificates", async () => {
  const { cert, key } = await lab.ca.certificateFor(["social.example", "198.18.0.10"]);
  await old.put("/root/cert.pem", cert);
  await old.put("/root/key.pem", key, 0o600);
  await old.sh(
    "systemd-run --quiet --unit=tls openssl s_server -accept 8443 -www -cert /root/cert.pem -key /root/key.pem",
  );
  await fresh.sh(
    "for _ in $(seq 50); do curl -sf https://198.18.0.10:8443/ >/dev/null && exit; sleep 0.1; done; exit 1",
  );
  const other = await fresh.sh(
    "curl -sS --resolve other.example:8443:198.18.0.10 https://other.example:8443/",
    { allowFail: true },
  );
  assert.match(other.stderr, /no alternative certificate subject name matches/);
  await old.sh("systemctl stop tls");
});

test("the round trip is what was asked for, changes at once, and costs nothing at 0", async () => {
  for (const ms of [40, 5, 0]) {
    await lab.setRtt(ms);
    const measured = await rtt();
    assert.ok(measured >= ms && measured < ms + 2, `asked for ${ms} ms, measured ${measured} ms`);
  }
});

test("a delayed link carries bulk data whole", async () => {
  await lab.setRtt(20);
  await old.sh("head -c 64M /dev/urandom >/root/bulk; systemd-run --quiet --unit=bulk --wait true");
  await fresh.put("/root/.ssh/known_hosts", `${old.address} ${old.hostKeyPublic}\n`);
  await fresh.sh(`scp -q root@${old.address}:/root/bulk /root/bulk`);
  const sum = "sha256sum /root/bulk; rm /root/bulk";
  assert.equal((await fresh.sh(sum)).stdout, (await old.sh(sum)).stdout);
  await lab.setRtt(0);
});

test("a dropped connection is silent, a reset one is told, both heal, and the operator is not cut off", async () => {
  const connect = (seconds: number) =>
    old.sh(`timeout ${seconds} bash -c '</dev/tcp/${fresh.address}/22'`, { allowFail: true });
  for (const how of ["drop", "reset"] as const) {
    const heal = await lab.cut(old, fresh, how);
    const { code, stderr } = await connect(how === "drop" ? 1 : 10);
    if (how === "drop") assert.equal(code, 124);
    else assert.match(stderr, /Connection refused/);
    assert.equal(await reaches(fresh, old, 1), false);
    await run(["ping", "-c1", "-w10", fresh.address]);
    await heal();
    assert.equal((await connect(10)).code, 0);
  }
});

test("whoever speaks from outside comes from one address, and can be cut from a host or from one port of it", async () => {
  await fresh.sh("systemctl start nginx");
  const dial = async (port: number, seconds: number) => {
    const argv = ["timeout", `${seconds}`, "bash", "-c", `</dev/tcp/${fresh.address}/${port}`];
    return (await run(argv, { allowFail: true })).code;
  };
  const from = await run(["ip", "route", "get", fresh.address]);
  assert.match(from.stdout, new RegExp(`src ${outside} `));
  for (const port of [22, undefined]) {
    const heal = await lab.cut(outside, fresh, "drop", port);
    assert.equal(await dial(22, 1), 124);
    assert.equal(port ? await dial(80, 10) : await dial(80, 1), port ? 0 : 124);
    assert.equal(await reaches(old, fresh, 10), true);
    await heal();
    assert.equal(await dial(22, 10), 0);
  }
  await fresh.sh("systemctl stop nginx");
});

test("a power cut ends everything but the disk", async () => {
  await fresh.put("/root/kept", "kept\n");
  await fresh.sh("systemd-run --quiet --unit=busy sleep infinity");
  const boot = (await fresh.sh("cat /proc/sys/kernel/random/boot_id; systemctl show -P ActiveState busy"))
    .stdout;
  assert.match(boot, /active/);
  await fresh.kill();
  assert.equal(fresh.running(), false);
  assert.equal(await reaches(old, fresh, 1), false);
  await assert.rejects(fresh.sh("true"), /new is off/);
  await fresh.start();
  assert.equal(
    (await fresh.sh("cat /root/kept; systemctl show -P ActiveState busy")).stdout,
    "kept\ninactive\n",
  );
  assert.equal(await reaches(old, fresh, 10), true);
});

test("an orderly reboot from within comes back by itself", async () => {
  const before = fresh.pid();
  await fresh.sh("systemctl reboot");
  await fresh.booted((pid) => pid !== before);
  assert.equal((await fresh.sh("cat /root/kept")).stdout, "kept\n");
});

test("a full disk is really full", async () => {
  const { stderr } = await fresh.sh("dd if=/dev/zero of=/var/lib/postgresql/full bs=1M", { allowFail: true });
  assert.match(stderr, /No space left on device/);
  await fresh.sh("rm /var/lib/postgresql/full; echo fits >/root/fits");
});

test("a failing command tells host, command and what it said", async () => {
  await assert.rejects(old.sh("echo out; echo why >&2; exit 3"), (e: Error) => {
    assert.match(e.message, /^old: bash .*exit 3 failed with 3:\nout\nwhy/s);
    return true;
  });
  await assert.rejects(
    old.exec(["sleep", "20"], { timeoutMs: 1_000 }),
    /^Error: old: sleep 20 failed with 124 \(it ran out of time\)/,
  );
});

test("removing a host and stopping leave nothing", async () => {
  await lab.remove("new");
  assert.throws(() => lab.host("new"), /no host "new"; there are: old/);
  await lab.stop();
  assert.equal(existsSync(lab.dir), false);
  assert.equal((await run(["ip", "-o", "link"])).stdout.match(/old|new|edge|delay|vb-/), null);
  assert.doesNotMatch((await run(["cat", "/proc/mounts"])).stdout, /overlay .*trunkline/);
  assert.equal((await run(["nft", "list", "tables"])).stdout, "");
  lab = await Lab.start(); // and the next one can start
});
