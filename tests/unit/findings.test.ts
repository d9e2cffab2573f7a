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
import { type Filled, now, source, target, traces, unit } from "./raws";

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

test("a unit counts as out of use only beside one that serves in its place, and not once the migration stops them", () => {
  const stopped = { active: "inactive", enabled: "disabled" };
  const told = (change: (s: Filled) => void) =>
    findingsOf(seen({ source: source(change) })).some((f) => f.code === "unit-unused");
  const old = (s: Filled) => s.mastodon.units.sidekiq.push(unit("old.service", stopped));
  assert.ok(told(old));
  assert.ok(!told((s) => (s.mastodon.units.sidekiq = [unit("mastodon-sidekiq.service", stopped)])));
  assert.ok(!told((s) => s.mastodon.units.sidekiq.push(unit("old.service", { active: "failed" }))));
  assert.ok(
    !told((s) => s.mastodon.units.sidekiq.push(unit("old.service", { ...stopped, enabled: "static" }))),
  );
  const umbrella = unit("mastodon-streaming.service", { ...stopped, program: "/bin/echo" });
  assert.ok(!told((s) => s.mastodon.units.streaming.push(umbrella)));
  assert.ok(!told((s) => (traces.prepare(s), old(s))));
  const level = (enabled: string) =>
    findingsOf(
      seen({
        source: source((s) => s.mastodon.units.sidekiq.push(unit("old.service", { ...stopped, enabled }))),
      }),
    ).find((f) => f.code === "unit-unused");
  assert.equal(level("disabled")?.acceptable, true);
  assert.deepEqual([level("masked")?.level, level("masked")?.acceptable], ["error", undefined]);
});

test("an archive of WAL is one that keeps something, and what it runs is told without its words", () => {
  const told = (mode: string, command: string) =>
    findingsOf(
      seen({
        source: source((s) =>
          Object.assign(s.postgres.settings, { archive_mode: mode, archive_command: command }),
        ),
      }),
    ).find((f) => f.code === "wal-archive")?.evidence;
  for (const nothing of ["", "(disabled)", "true", "/bin/true", "/usr/bin/true", ":", "exit 0"])
    assert.equal(told("on", nothing), undefined, nothing);
  assert.equal(told("off", "cp %p /srv"), undefined);
  assert.equal(told("always", "cp %p /srv"), "archive_mode is always, archive_command runs cp");
  assert.match(told("on", "AWS_SECRET=x wal-g wal-push %p") ?? "", /runs a command$/);
});

test("nginx's workers are told of until the target's may hold as much", () => {
  const told = (connections: number, then: number | null) =>
    findingsOf(
      seen({
        source: source((s) => (s.nginx.workers = { connections, files: null })),
        target: target((t) => {
          t.nginx = { ...there(source().nginx), workers: { connections: then, files: null } };
        }),
      }),
    ).some((f) => f.code === "nginx-workers");
  assert.deepEqual(
    [told(768, 768), told(4096, 768), told(4096, null), told(4096, 4096)],
    [false, true, true, false],
  );
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
