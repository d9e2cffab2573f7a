import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { findingsPage } from "../../docs/findings";
import { acceptable, type Finding, type Seen } from "../../survey/finding";
import { checks, findingsOf } from "../../survey/findings";
import type { Raw } from "../../survey/raw";
import { cases } from "./cases";
import { inCloud, seen, there } from "./cases/worlds";
import { migration } from "./configs";
import { type Filled, now, source, target, traces } from "./raws";

for (const [code, level, evidence, world] of cases)
  test(`${code}: ${evidence.source}`, () => {
    const found = findingsOf(world).filter((f) => f.code === code);
    assert.equal(found.length, 1, JSON.stringify(findingsOf(world), null, 1));
    const [f] = found as [Finding];
    assert.equal(f.level, level);
    assert.match(f.evidence, evidence);
    assert.ok(f.title.length > 5 && f.remedy.length > 5);
  });

test("two servers in good order give no error and no warning", () => {
  assert.deepEqual(
    findingsOf(seen()).filter((f) => f.level !== "note"),
    [],
  );
  assert.deepEqual(
    findingsOf(inCloud({})).filter((f) => f.level !== "note"),
    [],
  );
});

test("a survey that took its time is not taken for a clock that is wrong", () => {
  const span = { fromMs: now - 1000, toMs: now + 25_000 };
  const found = findingsOf(seen({ asked: { source: span, target: span } })).map((f) => f.code);
  assert.deepEqual(
    found.filter((code) => code.startsWith("clock")),
    [],
  );
});

test("each check is shown by a test to find what it is for", () => {
  const silent = checks.filter((check) => !cases.some(([, , , world]) => [check(world) || []].flat().length));
  assert.deepEqual(
    silent.map((check) => check.toString().slice(0, 60)),
    [],
  );
});

test("what a migration itself has done is no finding, at any phase", () => {
  for (const phase of ["prepare", "replicate", "shift", "switch"] as const) {
    const changed = source((s) => {
      traces[phase](s);
      if (phase === "prepare") return;
      s.postgres.walsenders.push({
        application: "trunkline_target",
        user: "trunkline_repl",
        state: "streaming",
        client: "127.0.0.1",
        lagBytes: 0,
      });
      s.postgres.slots.push({
        name: "trunkline_target",
        type: "physical",
        active: true,
        walStatus: "reserved",
      });
    });
    assert.deepEqual(
      findingsOf(seen({ source: changed })).filter((f) => f.level === "error"),
      [],
      phase,
    );
  }
});

test("where Redis is differs on the target, and after the switch its variables are its admin's", () => {
  const told = (at: "shift" | "switch", name: string) => {
    const set = (raw: Raw, hash: string) => Object.assign(there(raw.mastodon).env.hashes, { [name]: hash });
    const world = seen({
      source: source((s) => (traces[at](s), set(s, "of the source"))),
      target: target((t) => ((t.mastodon = source().mastodon), set(t, "of the target"))),
    });
    return findingsOf(world).some((f) => f.code === "secrets-differ");
  };
  assert.ok(told("shift", "SMTP_PASSWORD"));
  for (const name of ["REDIS_URL", "SIDEKIQ_REDIS_URL", "CACHE_REDIS_URL"])
    assert.ok(!told("shift", name), name);
  assert.ok(!told("switch", "SMTP_PASSWORD"));
});

test("what has to be right before the move stops nobody on the way back, nor after the switch", () => {
  const level = (phase: string, at: "replicate" | "switch") => {
    const world = source((s) => (traces[at](s), s.postgres.tablespaces.push({ name: "x", location: "/x" })));
    const findings = findingsOf(seen({ source: world, migration: migration({ phase }) }));
    return findings.find((f) => f.code === "tablespaces")?.level;
  };
  assert.deepEqual([level("switch", "replicate"), level("replicate", "replicate")], ["error", "error"]);
  assert.deepEqual([level("prepare", "replicate"), level("settle", "switch")], ["warning", "note"]);
});

test("the admin may accept what can be accepted, and nothing else", () => {
  const walsender = (s: Filled) =>
    s.postgres.walsenders.push({
      application: "barman",
      user: "backup",
      state: "streaming",
      client: null,
      lagBytes: 0,
    });
  const world = (accept: string) =>
    seen({
      migration: { ...migration(), accepted: accept.split(", ") },
      source: source((s) => (walsender(s), (s.postgres.prepared = 1))),
    });
  const levels = (accept: string) =>
    findingsOf(world(accept))
      .filter((f) => f.level !== "note")
      .map((f) => `${f.level} ${f.code}`);
  assert.deepEqual(levels(""), ["error other-walsender", "error prepared-transactions"]);
  assert.deepEqual(levels("other-walsender, prepared-transactions"), [
    "error prepared-transactions",
    "warning other-walsender",
  ]);
});

test("what the config lets one accept is what some world lets one accept", () => {
  const late = seen({
    migration: migration({ phase: "settle" }),
    source: undefined,
    unreachable: { source: "no answer" },
  });
  const found = [late, ...cases.map(([, , , world]) => world)]
    .flatMap(findingsOf)
    .filter((f) => f.acceptable);
  assert.deepEqual([...new Set(found.map((f) => f.code))].sort(), [...acceptable].sort());
});

test("a source that is gone can be accepted once the target serves alone, and not before", () => {
  const gone = (phase: string, at: "switch" | "settle") =>
    seen({
      migration: migration({ phase, acceptFindings: "source-unreachable", confirmRetire: "social.example" }),
      source: undefined,
      at,
      unreachable: { source: "no answer" },
    });
  const level = (s: Seen) => findingsOf(s).find((f) => f.code === "source-unreachable")?.level;
  assert.deepEqual(
    [level(gone("switch", "switch")), level(gone("settle", "settle")), level(gone("retire", "settle"))],
    ["error", "warning", "warning"],
  );
});

test("docs/findings.md is what docs/findings.ts prints", () => {
  assert.equal(readFileSync(path.join(__dirname, "../../docs/findings.md"), "utf8"), findingsPage());
});
