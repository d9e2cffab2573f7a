import assert from "node:assert/strict";
import { test } from "node:test";
import { Live, Meter, terminalReport } from "../../rehearsal/report";
import { bytes, duration, millis, whole } from "../../rehearsal/report/format";
import { broken, sample } from "./sample";

test("the terminal's report fits on a screen and carries the figures", () => {
  const text = terminalReport(sample());
  const lines = text.split("\n");
  assert.ok(lines.length <= 34, `${lines.length} lines`);
  assert.ok(Math.max(...lines.map((l) => l.length)) <= 100);
  assert.match(text, /✔ live-move: Moved: nobody noticed, nothing is lost/);
  assert.match(text, /switchover +writes waited 121 ms, Redis 24 ms \(round trip 10 ms/);
  assert.match(text, /statuses +4\u2009210 +0 +0/);
  assert.doesNotMatch(text, /\x1b/); // eslint-disable-line no-control-regex
});

test("an accident is told: what was broken, what came of it, how it ended, and what is gone with a power cut", () => {
  const fault = {
    name: "x",
    title: "the power fails",
    story: ["the first `up` said this"],
    ending: "ridden out",
  };
  const clients = { ...sample().clients, failed: 2 };
  const ledger = { ...sample().ledger, excused: ["3 of what Redis alone knew"] };
  const text = terminalReport(sample({ fault, clients, ledger }));
  assert.match(
    text,
    /nothing was lost but 3 of what Redis alone knew; 2 requests failed and went through later/,
  );
  assert.match(text, /fault +x: the power fails\n +the first `up` said this\n +ridden out\n/);
  assert.match(terminalReport(sample({ fault })), /✔ live-move: Moved: nobody noticed, nothing is lost/);
});

test("colours come only when asked for, and mark what is bad", () => {
  const text = terminalReport(broken(), { colour: true });
  assert.match(text, /\x1b\[31m✘/); // eslint-disable-line no-control-regex
  assert.match(text, /! table differs: public\.follows/);
});

test("figures are written for people", () => {
  assert.deepEqual([millis(4.24), millis(118.4), millis(2400)], ["4.2 ms", "118 ms", "2.4 s"]);
  assert.deepEqual([duration(0.42), duration(200), duration(3900)], ["0.4 s", "3 min 20 s", "1 h 5 min"]);
  assert.deepEqual([bytes(0), bytes(1536), bytes(5 * 1024 ** 3)], ["0 B", "1.5 KiB", "5.0 GiB"]);
  assert.equal(whole(1234567), "1\u2009234\u2009567");
});

/** Somewhere to write to, and a clock that a test turns. */
function desk(isTTY: boolean) {
  const written: string[] = [];
  const clock = { now: Date.UTC(2026, 0, 1) };
  const out = { isTTY, columns: 60, write: (text: string) => (written.push(text), true) };
  const live = new Live(out as unknown as NodeJS.WriteStream, () => clock.now);
  return { live, clock, written };
}

test("away from a terminal progress comes in plain lines, one in five seconds at most", () => {
  const { live, clock, written } = desk(false);
  live.phase("replicate");
  live.event({ at: clock.now, kind: "start", name: "media/copy" });
  live.event({ at: clock.now, kind: "start", name: "trunkline-dev", type: "pulumi:pulumi:Stack" });
  for (let i = 0; i < 60; i++) {
    clock.now += 500;
    live.event({ at: clock.now, kind: "message", name: "media/copy", message: `${i} files` });
  }
  live.stop();
  const progress = written.filter((w) => w.includes("media/copy"));
  assert.ok(progress.length >= 5 && progress.length <= 7, `${progress.length} lines in 30 s`);
  assert.match(progress.at(-1) ?? "", /^\d\d:\d\d:\d\d replicate · media\/copy · \d+ files · \d+ s\n$/);
});

test("on a terminal it is one line, written over, cut to the width, and gone at the end", () => {
  const { live, clock, written } = desk(true);
  live.phase("prepare");
  live.event({ at: clock.now, kind: "start", name: "app/tree" });
  live.event({ at: clock.now, kind: "message", name: "app/tree", message: "x".repeat(200) });
  assert.ok(written.every((w) => w.startsWith("\r\x1b[2K") && w.length <= 5 + 60 && !w.includes("\n")));
  live.line("a line that stays");
  assert.ok(written.some((w) => /^\d\d:\d\d:\d\d a line that stays\n$/.test(w)));
  live.stop();
  assert.equal(written.at(-1), "\r\x1b[2K");
});

test("a meter tells how far, how fast, how long still", () => {
  let now = 0;
  const meter = new Meter(100 * 1024 ** 2, () => now);
  assert.equal(meter.at(0), "0 B of 100.0 MiB");
  now = 2000;
  assert.equal(meter.at(20 * 1024 ** 2), "20.0 MiB of 100.0 MiB, 10.0 MiB/s, 8.0 s left");
});

test("a phase gone through again on the way back is called so, and has its own steps", () => {
  const r = sample();
  const end = Math.max(...r.phases.map((p) => p.startedAt! + p.seconds * 1000));
  const steps = r.steps.map((s) => ({
    ...s,
    startedAt: r.phases.find((p) => p.phase === s.phase)!.startedAt,
  }));
  const again = { name: "app/prove", host: "target", phase: "shift", seconds: 30, outcome: "changed" };
  const text = terminalReport({
    ...r,
    backLedger: { ...r.ledger, tables: { compared: 0, rows: 12, different: [] } },
    phases: [...r.phases, { phase: "shift", seconds: 31, startedAt: end }],
    steps: [...steps, { ...again, startedAt: end + 1000 }],
  });
  assert.match(text, /live-move: Moved, and back again: nobody noticed/);
  assert.match(text, /^ {2}shift +22 s .*app\/serve 8\.9 s$/m);
  assert.match(text, /^ {2}back: shift +31 s .*app\/prove 30 s$/m);
  assert.equal(text.match(/^ {2}tables /gm)?.length, 1, "tables of one server alone are compared with none");
});

test("media that moved to a bucket are told in figures, and what is broken is marked", () => {
  const media = { objects: 812, bytes: 9_000_000, missing: 0, wrong: 0, brokenLinks: 0, privateExposed: 0, withheld: 3, linksFetched: 4000, findings: [] }; // prettier-ignore
  const text = terminalReport(sample({ example: "object-storage", switchover: undefined, media }));
  assert.match(text, /object-storage: Moved: nobody noticed, nothing is lost\. 812 objects in the bucket/);
  assert.match(text, /media +812 objects \(8\.6 MiB\), 0 missing, 0 wrong/);
  assert.match(text, /0 links broken of 4\u2009000 fetched, 0 private exposed, 3 withheld/);
  assert.doesNotMatch(text, /writes waited/i);
  const bad = sample({ ok: false, media: { ...media, brokenLinks: 2, findings: ["link broken: x"] } });
  assert.match(terminalReport(bad, { colour: true }), /\x1b\[31m2 links broken/); // eslint-disable-line no-control-regex
  assert.match(terminalReport(bad), /Not good: 2 links broken/);
});
