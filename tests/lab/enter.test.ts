import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { run, waitFor } from "../../rehearsal/lab/run";

const enter = path.join(__dirname, "../../rehearsal/enter.sh");
const labs: ChildProcess[] = [];

after(() => labs.forEach((lab) => lab.kill("SIGKILL")));

/** A lab in namespaces of its own, with one host that is up. */
async function start(host: string): Promise<{ lab: ChildProcess; dir: string }> {
  const command = ["node", "--import", "tsx", path.join(__dirname, "one-host.ts"), host];
  const lab = spawn(enter, command, { stdio: ["ignore", "pipe", "inherit"] });
  labs.push(lab);
  const [said] = (await once(lab.stdout!, "data")) as [Buffer];
  const [, dir] = said.toString().trim().split(" ");
  assert.ok(dir, `the lab said ${said.toString()}`);
  return { lab, dir };
}

const machines = async (host: string) =>
  (await run(["pgrep", "-fc", `machine=${host}-`], { allowFail: true })).stdout.trim();
const gone = (host: string) =>
  waitFor(`${host} to be gone`, 15_000, async () => (await machines(host)) === "0" || "it runs");
const groups = (dir: string) =>
  ["", "/unified", "/systemd"].flatMap((tree) => {
    const folder = `/sys/fs/cgroup${tree}/trunkline`;
    return existsSync(folder) ? readdirSync(folder).filter((g) => dir.includes(g)) : [];
  });

test("passes on standard input and the exit code", async () => {
  const { code, stdout } = await run([enter, "sh", "-c", "cat; exit 7"], {
    input: "through\n",
    allowFail: true,
  });
  assert.deepEqual([code, stdout], [7, "through\n"]);
});

test("two labs run side by side, each with its own old server", async () => {
  const [one, two] = await Promise.all([start("twin-a"), start("twin-b")]);
  assert.notEqual(one.dir, two.dir);
  for (const { lab, dir } of [one, two]) {
    lab.kill("SIGTERM");
    await once(lab, "exit");
    assert.equal(existsSync(path.dirname(dir)), false);
    assert.deepEqual(groups(dir), []);
  }
  await Promise.all([gone("twin-a"), gone("twin-b")]);
});

test("killed without warning it takes everything along, and the next one removes its files", async () => {
  const { lab, dir } = await start("victim");
  assert.notEqual(await machines("victim"), "0");
  lab.kill("SIGKILL");
  await gone("victim");
  assert.ok(existsSync(dir));
  await run([enter, "true"]);
  assert.equal(existsSync(path.dirname(dir)), false);
  assert.deepEqual(groups(dir), []);
});

test("the next one leaves a living lab alone", async () => {
  const { lab, dir } = await start("alive");
  await run([enter, "true"]);
  assert.ok(existsSync(dir));
  assert.equal(groups(dir).length > 0, true);
  lab.kill("SIGTERM");
  await once(lab, "exit");
  await gone("alive");
});

test("a command that will not end is ended", async () => {
  const lab = spawn(enter, ["bash", "-c", "trap '' TERM INT; echo ready; exec sleep 1000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  labs.push(lab);
  await once(lab.stdout!, "data");
  lab.kill("SIGTERM");
  await once(lab, "exit");
});
