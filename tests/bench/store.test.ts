import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { parseOptions, parts } from "../../rehearsal/bench/options";
import { UsageError } from "../../rehearsal/usage";
import type { Seeding } from "../../rehearsal/bench/results";
import { merge, open, put } from "../../rehearsal/bench/store";

const seeding = (rttMs: number, ratio: number): Seeding => ({
  ...{ link: "1 Gbit/s", rttMs, bytes: 1, plainSeconds: 1, tunnelSeconds: 1, ratio },
});

test("what is measured again takes the place of the old, the rest stays; each knows its commit", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "trunkline-test-"));
  const file = path.join(dir, "deep/bench.json");
  const results = open(file);
  merge(results, { seeding: [seeding(1, 0.9), seeding(20, 0.8)] }, { at: "then", commit: "a", busy: 0 });
  put(file, JSON.stringify(results));
  const later = open(file);
  merge(
    later,
    { seeding: [seeding(20, 0.95)], versions: { pgbouncer: "1" } },
    { at: "now", commit: "b", busy: 9 },
  );
  rmSync(dir, { recursive: true });
  const found = later.seeding?.map((s) => [s.rttMs, s.ratio, s.commit]);
  assert.deepEqual(found, [
    [1, 0.9, "a"],
    [20, 0.95, "b"],
  ]);
  assert.deepEqual(later.versions, { pgbouncer: "1" });
});

test("parts are named, in any order; without a name all are measured", () => {
  assert.deepEqual(parseOptions([]).parts, [...parts]);
  assert.deepEqual(parseOptions(["seeding", "pauses", "--runs", "3"]).parts, ["pauses", "seeding"]);
  assert.deepEqual(parseOptions(["--no-measure"]).parts, []);
});

test("peers are named as anyone would write them; without a name all are measured", () => {
  assert.deepEqual(parseOptions([]).peers, ["Trunkline", "by hand", "repmgr", "Patroni"]);
  assert.deepEqual(parseOptions(["--peers", "patroni, By Hand"]).peers, ["by hand", "Patroni"]);
  for (const peers of ["nope", "patroni,nope", ""])
    assert.throws(
      () => parseOptions(["--peers", peers]),
      /^Error: --peers is ".*"; write some of: Trunkline, by hand/,
    );
});

test("a list of nothing is refused", () => {
  for (const key of ["--rtt", "--peer-rtt", "--counts"])
    assert.throws(
      () => parseOptions([key, ""]),
      new RegExp(`^Error: ${key} is ""; write whole numbers from`),
    );
});

test("what can't be understood is named", () => {
  const wrong = [
    ["pausen"],
    ["--runs", "0"],
    ["--rtt", "far"],
    ["--size", "huge"],
    ["--counts", "many"],
    ["--what"],
  ];
  for (const argv of wrong)
    assert.throws(() => parseOptions(argv), (e) => e instanceof UsageError && e.message.includes(argv.at(-1)!)); // prettier-ignore
});
