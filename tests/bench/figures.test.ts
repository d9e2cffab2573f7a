import assert from "node:assert/strict";
import { test } from "node:test";
import { bestOther, goals } from "../../rehearsal/bench/goals";
import { spread, summary, type Switch } from "../../rehearsal/bench/measure";
import { page } from "../../rehearsal/bench/page";
import { plot } from "../../rehearsal/bench/plot";
import { splitRehearsal } from "../../rehearsal/bench/rehearsal";
import type { Copying, Counted, Results } from "../../rehearsal/bench/results";
import { markdown, tables, text } from "../../rehearsal/bench/tables";

const one = (silenceMs: number, lost = 0): Switch => ({
  ...{ rttMs: 20, silenceMs, waitMs: silenceMs, pauseMs: silenceMs, failed: 0, lost, duplicated: 0 },
  ...{ acknowledged: 4000, writesPerSecond: 1000, seconds: 5 },
});
const peer = (name: string, ...switches: Switch[]) => ({
  ...{ name, how: `${name}'s way`, rttMs: 20, switches, summary: summary(switches) },
});
const measured = (...switches: Switch[]) => ({ switches, summary: summary(switches) });

const results: Results = {
  ...{ machine: {}, versions: {}, failures: {} },
  load: { clients: 20, rate: 1000 },
  pauses: [{ rttMs: 20, there: measured(one(120), one(500)), back: measured(one(90)) }],
  peers: [
    peer("Trunkline", one(120)),
    peer("by hand", one(30, 140)),
    peer("repmgr", one(8000)),
    peer("Patroni", one(6000)),
  ],
};

test("median and longest of a few figures", () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, max: 3 });
  assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, max: 4 });
});

test("whoever loses writes is not the best, however short the silence", () => {
  assert.equal(bestOther(results, 20)?.name, "Patroni");
  assert.match(tables(results).map(text).join("\n"), /50 times shorter than Patroni's/);
});

test("a goal that was missed says so", () => {
  const found = new Map(goals(results).map((g) => [g.what, g.reached]));
  assert.equal(found.get("way back at 20 ms, median, 2 runs"), true);
  assert.equal(found.get("write pause at 20 ms, longest, 2 runs"), false);
});

const copied = (way: string, kind: Copying["kind"], ...seconds: number[]): Copying => ({
  ...{ way, kind, files: 20_000, bytes: 1, seconds },
});
const counted = (files: number, delta: number, kib: number): Counted => ({
  ...{ files, delta: [delta, delta * 9, delta], rcloneSeconds: files / 10_000 },
  verify: { seconds: 1, own: kib, others: { sort: 1024 } },
});
const reached = (r: Partial<Results>) =>
  goals({ ...results, pauses: [], peers: [], ...r }).map((g) => [g.found, g.reached]);

test("our copy is held against the fastest of the bare ones, by the median", () => {
  const others = [copied("slow", "rclone", 20), copied("fast", "rclone", 9, 9, 90), copied("cp", "disk", 1)];
  assert.deepEqual(reached({ copying: [copied("ours", "ours", 10, 5, 99), ...others] }), [["90 %", true]]);
  assert.deepEqual(reached({ copying: [copied("ours", "ours", 11), ...others] }), [["82 %", false]]);
});

test("new files must cost no more where there are many, and the account no more memory", () => {
  const flat = [counted(1_000_000, 2, 30_720), counted(10_000, 1.5, 29_000), counted(100_000, 1, 30_720)];
  assert.deepEqual(reached({ media: flat }), [["2.00 times", true], ["50 times", true], ["1.06 times", true]]); // prettier-ignore
  const steep = [counted(10_000, 1, 10_000), counted(1_000_000, 3, 20_000)];
  assert.deepEqual(reached({ media: steep }), [["3.00 times", false], ["33 times", false], ["1.91 times", false]]); // prettier-ignore
  assert.deepEqual(reached({ media: [counted(1_000_000, 1, 1)] }), [["100 times", true]]);
});

test("every table has as many cells as columns, and a part that was not measured has none", () => {
  const drawn = tables(results);
  for (const t of drawn) for (const row of t.rows) assert.equal(row.length, t.head.length, t.title);
  assert.deepEqual(
    drawn.map((t) => t.title),
    ["Figures to reach", "Write pause of the switchover", "Where the pause goes", "Side by side"],
  );
  assert.match(markdown(drawn[1]!), /\| 20 ms \| there \| 2 \| 310 \/ 500 \|/);
});

test("the tables of media have as many cells as columns", () => {
  const drawn = tables({
    ...{ ...results, pauses: [], peers: [] },
    copying: [copied("ours", "ours", 10), copied("bare", "rclone", 9)],
    media: [counted(10_000, 1.5, 30_720)],
  });
  for (const t of drawn) for (const row of t.rows) assert.equal(row.length, t.head.length, t.title);
  assert.match(drawn.map(text).join("\n"), /has 90 % of the rate of the fastest rclone/);
  assert.deepEqual(drawn.at(-1)!.rows, [
    ["10\u2009000", "1.50 s", "1.0 s", "1", "1.0 s", "30 MiB", "31 MiB"],
  ]);
});

test("a rehearsal's overhead is what is no copying", () => {
  const step = (phase: string, name: string, startedAt: number, seconds: number) => ({
    ...{ host: "new", outcome: "changed", phase, name, startedAt, seconds },
  });
  const split = splitRehearsal(
    {
      seconds: 100,
      phases: [
        { phase: "replicate", seconds: 60, startedAt: 1000 },
        { phase: "shift", seconds: 10, startedAt: 61_000 },
      ],
      steps: [
        step("replicate", "database/standby", 6000, 30),
        step("replicate", "media/follow", 36_000, 20),
        step("shift", "media/follow", 64_000, 1), // it ends there, and copies nothing
        step("shift", "app/serve", 65_000, 5),
      ],
    },
    "medium",
  );
  assert.deepEqual([split.moving, split.copying, split.overhead, split.share], [70, 50, 20, 0.2]);
  assert.deepEqual(
    split.phases.map((p) => p.starting),
    [5, 3],
  );
});

test("the picture has a dot for each switch, and tells which ones lost something", () => {
  const drawn = plot(results);
  assert.equal(drawn.match(/<circle/g)?.length, 7);
  assert.match(drawn, /class="bad"[^>]*>30 ms, 140 lost or doubled/);
});

test("the page says what was not measured, and what failed", () => {
  const written = page({ ...results, failures: { seeding: "the link went" } }, "figures.svg");
  assert.match(written, /^- seeding: not measured; the last time: the link went$/m);
  assert.match(written, /!\[[^\]]+\]\(figures\.svg\)/);
  assert.match(
    page({ ...results, pauses: undefined, peers: undefined }, "x.svg"),
    /Nothing has been measured/,
  );
});
