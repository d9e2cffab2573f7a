/** The command lines: of the rehearsal, of the tests, and what is said before anything is prepared for them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { parseOptions } from "../../rehearsal/options";
import { brokenOff } from "../../rehearsal/report";
import type { BrokenOff } from "../../rehearsal/report/broken-off";
import { Timeline } from "../../rehearsal/timeline";
import { UsageError } from "../../rehearsal/usage";

test("without a word it is a live move; its report is named after the example", () => {
  const o = parseOptions([]);
  assert.deepEqual([o.example, o.html, o.back], ["live-move", "runs/live-move.html", false]);
  const media = parseOptions(["object-storage", "--store", "b2", "--back"]);
  assert.deepEqual(
    [media.example, media.store, media.html],
    ["object-storage", "b2", "runs/object-storage.html"],
  );
});

test("ways of a source that go together are taken together", () => {
  const names = ["tcp", "pgbouncer", "redis-acl", "spread", "extras", "cdn", "units", "sudo", "dns-none"];
  assert.deepEqual(parseOptions(["--source", names.join(",")]).source, names);
});

test("what can't be understood is named, with what can be", () => {
  for (const [argv, says] of [
    [["moon-landing"], /live-move, object-storage/],
    [["object-storage", "--store", "floppy"], /other, s3, r2, b2/],
    [["object-storage", "--fault", "disk-full-promote"], /is for live-move/],
    [["--fault", "rclone-killed"], /is for object-storage/],
    [["--fault", "nothing"], /"nothing" is not known; .*--fault list/],
    [["--fault", "constructor"], /"constructor" is not known/],
    [["--fault", "kill-up-settle", "--back"], /turns round before it/],
    [["--rtt", "much"], /whole number/],
    [["--rate", "0"], /whole number from 1 to/],
    [["--source", "compose"], /is for object-storage/],
    [["--store", "s3"], /is for object-storage; write object-storage --store s3/],
    [["--source", "dns-none,dns-hetzner,vultr,existing"], /: dns-none and dns-hetzner; vultr and existing; leave/],
    [["--source", "url,place,pgbouncer"], /: url and pgbouncer; leave one/],
    [["--source", "spread,conf-d"], /: spread and conf-d; leave one/],
  ] as const)
    assert.throws(() => parseOptions([...argv]), (e) => e instanceof UsageError && says.test(e.message)); // prettier-ignore
});

const repository = path.join(__dirname, "../..");

/** A folder with a Go like Debian 12's own, which has no notion of a newer one: no preparation gets past it. */
const oldGo = mkdtempSync(path.join(os.tmpdir(), "trunkline-go-"));
writeFileSync(path.join(oldGo, "go"), '#!/bin/sh\necho "go version go1.19.8 linux/amd64"\n', { mode: 0o755 });
after(() => rmSync(oldGo, { recursive: true }));

function run(script: string, args: readonly string[]) {
  const env = { ...process.env, PATH: `${oldGo}:${process.env["PATH"]}` };
  const { status, stderr } = spawnSync(path.join(repository, script), args, { env, encoding: "utf8" });
  return { status, stderr };
}

for (const [script, args, says] of [
  ["tests/run.sh", ["unit", "nope"], /^there is no group 'nope'; there are: check unit .* faults-long$/m],
  ["tests/run.sh", ["check unit"], /^there is no group 'check unit'/m],
  ["rehearsal/run.sh", ["--store", "s3"], /^--store is for object-storage/m],
  ["rehearsal/bench.sh", ["--peers", "nope"], /^--peers is "nope"/m],
] as const)
  test(`${script} ${args.join(" ")}: refused before anything is prepared`, () => {
    const { status, stderr } = run(script, args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  });

test("a rehearsal that comes to no end says so, and why, in its --json", () => {
  const file = path.join(oldGo, "end.json");
  const argv = ["--import", "tsx", "rehearsal/main.ts", "--fault", "kill-up-shift", "--json", file];
  // Without any program, and with no image of a host, nothing can begin.
  const env = { PATH: oldGo, HOME: oldGo, XDG_CACHE_HOME: oldGo };
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd: repository, env, encoding: "utf8" });
  assert.equal(status, 2, stderr);
  const end = JSON.parse(readFileSync(file, "utf8")) as BrokenOff;
  assert.deepEqual([end.example, end.ok, end.fault?.name], ["live-move", false, "kill-up-shift"]);
  assert.match(end.verdict, /image\.sh/);
  assert.ok(end.startedAt > 0 && end.seconds >= 0 && end.phases.length === 0);
});

test("a rehearsal that broke off tells how far it was", () => {
  const began = Date.now();
  const timeline = new Timeline();
  timeline.begin("prepare");
  timeline.phases[0]!.seconds = 7;
  timeline.begin("replicate");
  timeline.phases[1]!.startedAt! -= 9000;
  const { phases, fault } = brokenOff(parseOptions([]), timeline, undefined, new Error("it did not strike"));
  const since = phases[1]!.seconds - 9;
  assert.deepEqual([phases[0]!.seconds, fault], [7, undefined]);
  assert.ok(since >= 0 && since <= (Date.now() - began) / 1000, `${9 + since} s`);
});

test("a Go that is too old is named, with the one that is needed", () => {
  const { status, stderr } = run("rehearsal/prepare.sh", ["system"]);
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    new RegExp(`^prepare: go is 1\\.19\\.8, too old .*: install Go ${neededGo()} or later`),
  );
});

test("the README names the Go that go.mod asks for", () => {
  assert.ok(readFileSync(path.join(repository, "README.md"), "utf8").includes(`Go ${neededGo()} or later`));
});

function neededGo(): string {
  const text = readFileSync(path.join(repository, "rehearsal/tools/go.mod"), "utf8");
  return /^go (\S+)$/m.exec(text)?.[1] ?? "";
}
