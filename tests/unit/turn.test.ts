import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

const script = path.join(__dirname, "../../scripts/turn.py");

function ask(who: string) {
  const child = spawn("python3", [script, who], { stdio: ["pipe", "pipe", "inherit"] });
  const said = once(createInterface(child.stdout), "line").then(([line]) => String(line));
  const ended = once(child, "exit");
  return { child, said, ended };
}

test("one run has the turn; the next is told whose it is; it goes with its connection", async () => {
  const first = ask("alice@laptop, stack dev");
  assert.equal(await first.said, "mine");
  const second = ask("bob@desk, stack dev");
  assert.match(await second.said, /^taken by alice@laptop, stack dev, since \d\d:\d\d:\d\d UTC$/);
  await second.ended;
  first.child.stdin.write("\n");
  first.child.stdin.end();
  await first.ended;
  const third = ask("bob@desk, stack dev");
  assert.equal(await third.said, "mine");
  third.child.kill("SIGKILL");
  await third.ended;
  const fourth = ask("carol");
  assert.equal(await fourth.said, "mine");
  fourth.child.stdin.end();
  await fourth.ended;
});

test("one who asks and leaves before the answer does not end the turn", async () => {
  const first = ask("alice");
  assert.equal(await first.said, "mine");
  first.child.kill("SIGSTOP");
  const leaves = 'import socket; socket.socket(socket.AF_UNIX).connect("\\0trunkline-turn")';
  execFileSync("python3", ["-c", leaves]);
  first.child.kill("SIGCONT");
  assert.match(await ask("bob").said, /^taken by alice/);
  first.child.stdin.end();
  await first.ended;
});
