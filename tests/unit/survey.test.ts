import { moving } from "../../survey/records";
import assert from "node:assert/strict";
import { test } from "node:test";
import { estimatesOf, pauseOf, rolesThatMove } from "../../survey/estimates";
import { factsOf, missingFacts, otherNames } from "../../survey/facts";
import { older, size } from "../../survey/finding";
import { findingsOf } from "../../survey/findings";
import { wayOf } from "../../survey/install";
import { nextOf } from "../../survey/next";
import { phases, reached, wanted } from "../../survey/phase";
import { plan, stepsToCome } from "../../survey/plan";
import { awaited } from "../../survey/awaited";
import { positionOf } from "../../survey/position";
import { duration, render } from "../../survey/render";
import { seen, there } from "./cases/worlds";
import { cloud, migration } from "./configs";
import { type Filled, source, target, traces } from "./raws";

test("the position is the furthest phase that has left a trace on the servers", () => {
  assert.equal(positionOf(source(), undefined), "survey");
  for (const phase of ["prepare", "replicate", "shift", "switch", "retire"] as const)
    assert.equal(positionOf(source(traces[phase]), undefined), phase);
  assert.equal(
    positionOf(
      source(traces.switch),
      target((t) => (t.trunkline.backup = true)),
    ),
    "settle",
  );
});

test("a phase that was begun and cut off counts as reached, so that going back undoes it", () => {
  const begun = (change: Parameters<typeof source>[0]) => positionOf(source(change), undefined);
  assert.equal(
    begun((s) => (s.trunkline.paths = ["/opt/trunkline"])),
    "prepare",
  );
  assert.equal(
    begun((s) => (s.trunkline.roles = ["trunkline_repl"])),
    "replicate",
  );
  assert.equal(
    begun((s) => (s.trunkline.sidekiqQuiet = true)),
    "shift",
  );
  // The fence is on the disk, Postgres still runs as primary: the switchover has to say how it ends.
  assert.equal(
    begun((s) => (s.postgres.standbySignal = true)),
    "switch",
  );
  // Postgres is back, Redis still follows the target.
  assert.equal(
    begun((s) => (traces.shift(s), (s.redis.role = "replica"))),
    "switch",
  );
});

test("without the source the target tells, if it was promoted", () => {
  const promoted = (change: Parameters<typeof target>[0] = () => undefined) =>
    target((t) => {
      t.postgres = source().postgres;
      t.trunkline.journal = { direction: "forward", step: "done", done: true, promoted: true };
      t.trunkline.units = { "trunkline-tunnel@wal.service": "active" };
      change(t);
    });
  assert.equal(positionOf(undefined, promoted()), "switch");
  assert.equal(
    positionOf(
      undefined,
      promoted((t) => (t.trunkline.backup = true)),
    ),
    "settle",
  );
  assert.equal(
    positionOf(
      undefined,
      promoted((t) => (t.trunkline.units = {})),
    ),
    "retire",
  );
  assert.equal(positionOf(undefined, target()), "survey");
});

test("what is on its way up is waited for, and a server that takes part already; a wrong address is not", () => {
  const of = (change: Partial<Parameters<typeof awaited>[0]>) => awaited(seen(change));
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ target: target((t) => t.starting.push("Redis")) }), [
    "Redis on the target new to answer",
  ]);
  const slowly = (what: string) => ({ what, why: "systemctl took longer than 8 s" });
  for (const what of ["units", "whether Redis is starting"])
    assert.deepEqual(of({ source: source((s) => s.unread.push(slowly(what))) }), [
      "the source old to have time for the survey",
    ]);
  assert.deepEqual(of({ source: source((s) => s.unread.push(slowly("size of the app"))) }), []);
  const unreachable = { source: "no answer" };
  const follows = target((t) => (t.trunkline.units = { "trunkline-tunnel@wal.service": "active" }));
  assert.deepEqual(of({ source: undefined, unreachable }), []);
  assert.deepEqual(of({ source: undefined, unreachable, target: follows }), ["the source to be reached"]);
  const accepted = migration({ acceptFindings: "source-unreachable" });
  assert.deepEqual(of({ source: undefined, unreachable, target: follows, migration: accepted }), []);
  for (const [phase, waits] of [
    ["prepare", false],
    ["switch", true],
    ["retire", false],
  ] as const)
    assert.deepEqual(
      of({ source: source(traces[phase]), target: undefined, unreachable: { target: "no answer" } }),
      waits ? ["the target to be reached"] : [],
    );
});

test("facts come from the survey, and what is missing is named", () => {
  const facts = factsOf(source());
  assert.deepEqual(missingFacts(facts), []);
  assert.deepEqual(
    [facts.PG_CLUSTER, facts.PG_UNIT, facts.REDIS_UNIT, facts.APP_UID, facts.SIDEKIQ_UNITS, facts.WEB_DOMAIN],
    [
      ...["main", "postgresql@15-main.service", "redis-server.service"],
      ...["990", "mastodon-sidekiq.service", "social.example"],
    ],
  );
  const web = source((s) => (s.mastodon.env.values["WEB_DOMAIN"] = "web.social.example"));
  assert.equal(factsOf(web).WEB_DOMAIN, "web.social.example");
  assert.deepEqual(missingFacts(factsOf(source((s) => (s.mastodon.units.web = [])))), ["WEB_UNITS"]);
});

test("no record is looked for of a name that Tor alone knows", () => {
  const names = ["social.example", "example.org", "abc.onion", "*.social.example"];
  assert.deepEqual(otherNames(source((s) => (s.nginx.names = names))), ["example.org"]);
});

test("certbot's certificates come along that are proven over HTTP, for the instance's names alone", () => {
  const of = (change: object) =>
    factsOf(
      source(
        (s) => void Object.assign(s.nginx.certificates[0] ?? {}, { names: ["social.example"], ...change }),
      ),
    ).RENEWALS;
  assert.equal(of({}), "social.example");
  for (const odd of [
    { names: ["social.example", "shop.example"] },
    { renewal: "dns-cloudflare" },
    { lineage: null, renewal: null },
    { cert: "/etc/ssl/a.pem" },
    { lineage: "a b", cert: "/etc/letsencrypt/live/a b/fullchain.pem" },
  ])
    assert.equal(of(odd), "");
});

test("what the official way installs is the source's own commit, else the tag of its version", () => {
  const code = (change: Parameters<typeof source>[0]) => {
    const { SOURCE_REPOSITORY, SOURCE_REF, SOURCE_RELEASE } = factsOf(source(change));
    return [SOURCE_REPOSITORY, SOURCE_REF, SOURCE_RELEASE];
  };
  const upstream = "https://github.com/mastodon/mastodon.git";
  assert.deepEqual(
    code((s) => (s.mastodon.git = { ...there(s.mastodon.git), origin: "https://git.example/fork.git" })),
    ["https://git.example/fork.git", "3f2a".repeat(10), "debian-12"],
  );
  assert.deepEqual(
    code((s) => Object.assign(s.mastodon, { git: null, version: "4.6.0-beta.1+glitch" })),
    [upstream, "v4.6.0-beta.1", "debian-12"],
  );
});

test("the app is copied where its release of the system goes on, and installed where it does not", () => {
  const way = (appInstall: string, version: string) =>
    wayOf(
      seen({ migration: migration({ appInstall }), target: target((t) => (t.host.os.version = version)) }),
    );
  assert.deepEqual([way("auto", "12"), way("auto", "13")], ["copy", "official"]);
  assert.deepEqual([way("copy", "13"), way("official", "12")], ["copy", "official"]);
  const vultr = migration({ targetProvider: "vultr" }, cloud);
  assert.equal(
    wayOf(seen({ migration: vultr, target: undefined })),
    "copy",
    "nobody knows before it is made",
  );
  const [estimate] = estimatesOf(["app/tree"], seen({ migration: migration({ appInstall: "official" }) }));
  assert.deepEqual(
    [estimate?.seconds, estimate?.because],
    [1800, "Ruby is compiled, gems and assets are built"],
  );
});

test("local changes do not matter where the tree is copied, nor once the app serves on the target", () => {
  const told = (appInstall: string, change: (raw: Filled) => void = () => undefined) =>
    findingsOf(
      seen({
        migration: migration({ appInstall }),
        source: source(
          (s) => (Object.assign(there(s.mastodon.git), { own: ["public/x"], count: 1 }), change(s)),
        ),
      }),
    ).some((f) => f.code === "local-changes");
  assert.deepEqual([told("official"), told("copy"), told("auto")], [true, false, false]);
  assert.equal(told("official", traces.shift), false);
});

test("a step is wanted from its first phase until its last", () => {
  const of = (from: "prepare" | "switch", until?: "retire") => phases.filter((p) => wanted(p, from, until));
  assert.deepEqual(of("prepare", "retire"), ["prepare", "replicate", "shift", "switch", "settle"]);
  assert.deepEqual(of("switch"), ["switch", "settle", "retire"]);
});

test("the steps to come are those whose wanted state changes, in the order in which they run", () => {
  const to = (at: "survey" | "switch" | "settle", phase: string) =>
    stepsToCome(at, migration({ phase, confirmRetire: "social.example" }));
  assert.deepEqual(to("survey", "prepare"), Object.keys(plan).slice(0, 6));
  assert.deepEqual(to("switch", "shift"), ["dns/wait", "switchover/check", "switchover/run"]);
  assert.deepEqual(to("settle", "retire"), [
    "access/grant",
    "database/publish",
    "switchover/agent",
    "tunnel/up",
    "web/proxy",
    "host/retire",
  ]);
  assert.deepEqual(to("settle", "settle"), []);
});

test("estimates grow with what is copied, and are held back by the rate limit", () => {
  const of = (change: Record<string, string>) =>
    Object.fromEntries(
      estimatesOf(["database/standby", "media/copy", "web/proxy"], {
        source: source(),
        migration: migration(change),
      }).map((e) => [e.step, e.seconds]),
    );
  assert.deepEqual(of({}), { "database/standby": 196, "media/copy": 515, "web/proxy": 3 });
  assert.equal(of({ copyRateMiB: "10" })["media/copy"], 2051);
  assert.equal(of({ copyRateMiB: "10" })["database/standby"], 1135);
  const many = source((s) => Object.assign(s.media, { bytes: 1, files: 4_000_000 }));
  assert.deepEqual(estimatesOf(["media/copy"], { source: many, migration: migration() })[0], {
    step: "media/copy",
    seconds: 10_003,
    because: "4000000 files at 400 files/s",
  });
});

test("the expected pause is two round trips, the drain and 80 ms, and more on slow disks", () => {
  assert.equal(pauseOf(seen(), 5).ms, 140);
  assert.deepEqual(pauseOf(seen({ target: undefined }), 1), {
    ms: 87,
    rttMs: 1,
    because: "2 round trips of 1.0 ms + drain 5 ms + shutdown and promotion 80 ms",
    measured: false,
  });
  const slow = source((s) => s.disks.forEach((d) => (d.flushMs = 10)));
  assert.match(pauseOf(seen({ source: slow }), 1).because, /slow disks 54 ms/);
});

test("the rate of WAL is asked for wherever a pause is foretold, and nowhere else once something is to be done", () => {
  for (const phase of phases)
    for (const at of phases) {
      const goal = phase === "survey" && at === "survey" ? "settle" : phase;
      const foretold = stepsToCome(at, { phase: goal, carryRedis: true }).includes("switchover/run");
      const role = reached(at, "switch") ? "standby" : "primary";
      const asked = rolesThatMove({ ...migration(), phase }).includes(role);
      if (foretold || phase !== "survey") assert.equal(asked, foretold, `${phase} from ${at}`);
    }
  assert.deepEqual(rolesThatMove({ phase: "survey", target: { provider: "none" } }), []);
});

test("the preview's text shows both servers, findings with what to do, steps, and the pause", () => {
  const world = seen({ migration: migration({ phase: "prepare" }, cloud) });
  const text = render(
    world,
    [{ level: "error", code: "x", title: "broken", evidence: "it is", remedy: "mend it", acceptable: true }],
    estimatesOf(["host/base"], { source: source(), migration: migration() }),
    { pause: pauseOf(world, 1) },
  );
  assert.match(text, /Postgres +15\.8 primary, 11 GiB +-$/m);
  assert.match(text, /error x: broken\n {4}found: it is\n {4}do: mend it\. Or accept it: acceptFindings=x/);
  assert.match(text, /1 +host\/base +1 min 0 s/);
  assert.match(text, /Writes will wait about 140 ms/);
});

test("what comes next is said for every phase, and the second run for DNS where it takes one", () => {
  for (const phase of phases)
    assert.ok(nextOf(migration({ phase, confirmRetire: "social.example" }), phase).length > 10, phase);
  assert.match(nextOf(migration({}, cloud), "survey"), /run pulumi up once more: this run adopted/);
  assert.match(nextOf(migration({}), "survey"), /leave the source proxying/);
});

test("sizes, durations and versions as people write them", () => {
  assert.deepEqual([0, 1023, 1536, 11 * 1024 ** 3, null].map(size), [
    "0 B",
    "1023 B",
    "1.5 KiB",
    "11 GiB",
    "unknown",
  ]);
  assert.deepEqual([5, 95, 7300].map(duration), ["5 s", "1 min 35 s", "2 h 2 min"]);
  assert.deepEqual(
    [older("6.0.16", "6.2"), older("6.2.0", "6.2"), older("4.3.0+glitch", "4.4"), older("4.10.0", "4.9")],
    [true, false, true, false],
  );
});

test("of the names that the instance's sites serve those move that lead to one of its servers", () => {
  const record = (name: string, type: "A" | "AAAA", value: string) => ({
    ...{ name, type, values: [value], ttl: 300, proxied: false, id: "", extra: {} },
  });
  const found = [
    record("mastodon.example", "A", "203.0.113.1"),
    record("example", "A", "198.18.0.10"),
    record("example", "AAAA", "2001:db8::1"),
    record("www.example", "A", "203.0.113.2"),
  ];
  const names = moving(found, ["mastodon.example"], ["198.18.0.10", "198.18.1.10"]).map(
    (r) => `${r.name} ${r.type}`,
  );
  assert.deepEqual(names, ["mastodon.example A", "example A", "example AAAA"]);
});
