import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { forgotten } from "../../rehearsal/judge";
import { Here } from "./server";

const host = new Here("old");
let dir: string;
let redis: string[];

before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "judge-memory-"));
  redis = ["redis-cli", "-s", path.join(dir, "redis.sock")];
});
after(async () => {
  await host.exec([...redis, "SHUTDOWN", "NOSAVE"], { allowFail: true });
  rmSync(dir, { recursive: true });
});

test("without an outage nothing is excused, and nobody is asked", async () => {
  assert.deepEqual(await forgotten(host, [], { redis: ["false"] }), []);
});

test("a primary that starts with nothing has lost all, and one with a snapshot what came after it", async () => {
  await start();
  await call("SET", "before", "1");
  const saved = Date.now();
  await call("SAVE");
  await seconds(3); // the age is told in whole seconds
  const cut = await loseThePower();
  const [excuse, more] = await forgotten(host, [{ from: cut, to: Date.now() }], { redis });
  assert.equal(more, undefined);
  assert.equal(excuse?.why, "of what Redis alone knew when old lost its power");
  assert.ok(
    saved - 13_000 < excuse.from && excuse.from <= saved,
    `${saved - excuse.from} ms before the snapshot`,
  );
  const [all] = await forgotten(host, [{ from: 0, to: cut }], { redis });
  assert.ok(all!.from <= 0, "at its first start there was no snapshot");
});

test("one with a log has lost nothing but what was in hand", async () => {
  await call("CONFIG", "SET", "appendonly", "yes");
  const cut = await loseThePower("--appendonly", "yes");
  const [excuse] = await forgotten(host, [{ from: cut, to: Date.now() }], { redis });
  assert.equal(excuse?.from, cut - 10_000);
  await call("CONFIG", "SET", "appendonly", "no");
});

test("one that comes up as a replica is excused of nothing", async () => {
  const cut = await loseThePower("--replicaof", "127.0.0.1", "1");
  assert.deepEqual(await forgotten(host, [{ from: cut, to: Date.now() }], { redis }), []);
});

async function loseThePower(...how: string[]): Promise<number> {
  const pid = /process_id:(\d+)/.exec(await call("INFO", "server"))?.[1];
  const cut = Date.now();
  process.kill(Number(pid), "SIGKILL");
  await start(...how);
  return cut;
}

async function start(...how: string[]): Promise<void> {
  const files = [
    "--dir",
    dir,
    "--logfile",
    path.join(dir, "log"),
    "--unixsocket",
    path.join(dir, "redis.sock"),
  ];
  await host.exec([
    "env",
    "TZ=UTC",
    "redis-server",
    "--port",
    "0",
    "--save",
    "",
    "--daemonize",
    "yes",
    ...files,
    ...how,
  ]);
  for (let i = 0; i < 250 && (await call("PING").catch(() => "")) !== "PONG"; i++) await seconds(0.02);
}

async function call(...command: string[]): Promise<string> {
  return (await host.exec([...redis, ...command])).stdout.trim();
}

function seconds(n: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, n * 1000));
}
