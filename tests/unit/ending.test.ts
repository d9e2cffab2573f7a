/** A rehearsal that does not come to its own end: what is told, and what stays up. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { withEnding } from "../../rehearsal/ending";
import type { World } from "../../rehearsal/world";

const world = {} as World;

/** What happened, in its order, where the run throws after the world was built, or before. */
async function brokenOff(isBuilt: boolean): Promise<unknown[]> {
  const seen: unknown[] = [];
  const run = async (built: (w: World) => void) => {
    if (isBuilt) built(world);
    throw new Error("prepare failed");
  };
  const broken = (why: unknown) => void seen.push((why as Error).message);
  const keep = async (kept: World) => void seen.push(kept);
  await assert.rejects(withEnding(run, { broken, keep }), /prepare failed/);
  return seen;
}

test("a world in which a rehearsal broke off is kept for a look, once it is told why", async () => {
  assert.deepEqual(await brokenOff(true), ["prepare failed", world]);
  assert.deepEqual(await brokenOff(false), ["prepare failed"], "there is nothing to keep");
});

test("a rehearsal that came to its end is no longer told of signals", async () => {
  const before = process.listenerCount("SIGTERM");
  assert.equal(await withEnding(async () => 7, { broken: assert.fail }), 7);
  assert.equal(process.listenerCount("SIGTERM"), before);
});

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  test(`a rehearsal that ${signal} ends says so before it goes`, async () => {
    const ending = JSON.stringify(path.join(__dirname, "../../rehearsal/ending"));
    const program = `require(${ending}).withEnding(
      () => new Promise(() => setInterval(() => {}, 1000) && console.log("begun")),
      { broken: (why) => console.log("broken: " + why.message), keep: () => console.log("kept") })`;
    const child = spawn(process.execPath, ["--import", "tsx", "-e", program], {
      cwd: path.join(__dirname, "../.."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: string[] = [];
    const said = createInterface(child.stdout).on("line", (line) => {
      lines.push(line);
      if (line === "begun") child.kill(signal);
    });
    const [[ended]] = await Promise.all([once(child, "exit"), once(said, "close")]);
    assert.deepEqual([ended, lines], [code, ["begun", `broken: it was ended by ${signal}`]]);
  });
