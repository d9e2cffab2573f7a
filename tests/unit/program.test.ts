import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { plan } from "../../survey/plan";
import { day, record } from "./cases/worlds";
import { connectionOf, named, type Registered, settingsOf, stashed, steps } from "./engine";
import { found, program } from "./program";
import { now, source, traces } from "./raws";

const chain = Object.keys(plan).filter((step) => step !== "feeds/build");
const inChain = (list: Registered[]) =>
  steps(list)
    .map((r) => r.name)
    .filter((name) => name in plan);
const wants = (list: Registered[]) =>
  Object.fromEntries(
    steps(list)
      .filter((r) => r.name in plan)
      .map((r) => [r.name, settingsOf(r)["WANT"]]),
  );
const present = (list: Registered[]) =>
  Object.entries(wants(list))
    .filter(([, want]) => want === "present")
    .map(([name]) => name);
const at = (phase: keyof typeof traces) => ({ source: source(traces[phase]), ...found() });

test("forward: every resource of the whole migration, each once", async () => {
  const list = await program({});
  assert.deepEqual(
    list.filter((r) => !steps([r]).length && r.type.startsWith("trunkline:")).map((r) => r.name),
    [
      "server",
      "source",
      "target",
      "access",
      "host",
      "app",
      "database",
      "tunnel",
      "pooler",
      "redis",
      "media",
      "sidekiq",
      "switchover",
      "dns",
      "web",
      "backup",
      "retire",
    ],
  );
  const others = list.filter((r) => r.custom && !(r.name in plan)).map((r) => r.name);
  assert.deepEqual(others.sort(), [
    ...[
      "access-read-key",
      "access-tunnel-key",
      "app-salt",
      "database-app-password",
      "database-replication-password",
    ],
    ...[
      "dns-social.example-A",
      "first-seen",
      "last-seen",
      "server-firewall",
      "server-host-key",
      "server-ipv4",
      "server-ipv6",
    ],
    ...[
      "server-rdns-ipv4",
      "server-rdns-ipv6",
      "server-server",
      "server-ssh-key",
      "source/folder",
      "source/scripts",
    ],
    ...["switchover-token", "target/folder", "target/scripts"],
  ]);
});

test("forward: the steps are one chain in the order of the plan", async () => {
  const list = await program({});
  assert.deepEqual(inChain(list), chain);
  for (const [i, name] of chain.entries())
    if (i) assert.ok(named(list, name).after.includes(chain[i - 1] ?? ""), name);
});

test("back: the same steps, the other way round", async () => {
  const list = await program({ phase: "prepare" }, at("switch"));
  assert.deepEqual(inChain(list), [...chain].reverse());
  for (const [i, name] of chain.entries())
    // Before the names point elsewhere, the records themselves go back.
    if (i)
      assert.ok(
        named(list, chain[i - 1] ?? "").after.includes(name === "dns/wait" ? "dns-social.example-A" : name),
        name,
      );
});

test("in each phase what is wanted is what the plan says", async () => {
  assert.deepEqual(present(await program({ phase: "prepare" }, at("prepare"))), chain.slice(0, 6));
  assert.deepEqual(present(await program({ phase: "replicate" }, at("replicate"))), chain.slice(0, 16));
  const shift = chain.slice(0, 22).filter((s) => s !== "media/follow");
  assert.deepEqual(present(await program({ phase: "shift" }, at("shift"))), shift);
  const settle = chain.slice(0, -1).filter((s) => s !== "media/follow");
  assert.deepEqual(present(await program({ phase: "settle" }, at("switch"))), settle);
  const over = [
    "media/follow",
    "access/grant",
    "database/publish",
    "switchover/agent",
    "tunnel/up",
    "web/proxy",
  ];
  const retire = await program({ phase: "retire", confirmRetire: "social.example" }, at("switch"));
  assert.deepEqual(
    present(retire),
    chain.filter((s) => !over.includes(s)),
  );
});

test("survey with no trace on the source registers nothing at all", async () => {
  assert.deepEqual(await program({ phase: "survey" }), []);
});

test("back to survey: all absent, the server not registered, its steps on it as it was found", async () => {
  const list = await program({ phase: "survey" }, at("replicate"));
  assert.deepEqual(inChain(list), [...chain].reverse());
  assert.deepEqual(present(list), []);
  assert.deepEqual(
    list.filter((r) => r.name.startsWith("server")),
    [],
  );
  assert.deepEqual(named(list, "host/base").inputs["triggers"], [found().there?.hostKey]);
  assert.deepEqual((named(list, "source/scripts").inputs["triggers"] as string[]).at(-1), "leaving");
});

test("back to survey where the target is gone: the source's steps alone", async () => {
  const list = await program({ phase: "survey" }, { source: source(traces.replicate) });
  assert.deepEqual(
    inChain(list),
    chain.filter((s) => plan[s as keyof typeof plan].on === "source").reverse(),
  );
});

test("every step: pinned host key, secret settings, no delete, result on stdout alone", async () => {
  for (const step of steps(await program({}))) {
    const { stdin, create, ...more } = step.inputs;
    const c = connectionOf(step);
    assert.ok(c.hostKey.startsWith("ssh-ed25519 "), step.name);
    assert.deepEqual(more["triggers"], step.name.endsWith("/folder") ? [c.hostKey, "staying"] : [c.hostKey]);
    assert.deepEqual(
      Object.keys(more).sort(),
      ["addPreviousOutputInEnv", "connection", "logging", "triggers"],
      step.name,
    );
    assert.deepEqual([more["addPreviousOutputInEnv"], more["logging"]], [false, "stderr"]);
    if (!(step.name in plan)) continue;
    assert.equal(create, `bash /opt/trunkline/scripts/run ${step.name}`);
    assert.ok("secret" in (stdin as object), step.name);
  }
});

test("a step that may run takes the connection of today; another key, port or user does not stir the others", async () => {
  const idle = async (config: Record<string, string>, change: Parameters<typeof program>[1]) =>
    steps(await program(config, change))
      .filter((step) => step.ignoreChanges.length > 0)
      .map((step) => {
        const name = step.name as keyof typeof plan;
        const retires = config["phase"] === "retire";
        assert.deepEqual(step.ignoreChanges, ["connection", "create", ...(retires ? ["stdin"] : [])], name);
        return name;
      });
  assert.deepEqual(await idle({}, {}), []);
  assert.deepEqual(await idle({ phase: "replicate" }, at("replicate")), []);
  assert.deepEqual(await idle({ phase: "survey" }, at("shift")), [
    "host/retire",
    "backup/prove",
    "backup/run",
  ]);
  // Those that follow the source may run although their own phase is long past, the certificates' until the switch.
  const toShift = await idle({ phase: "shift" }, at("replicate"));
  for (const step of ["app/tree", "app/secrets", "app/prove", "web/certificates", "web/site"] as const)
    assert.ok(!toShift.includes(step), step);
  assert.ok(toShift.includes("host/base"));
  const prepared = ["host/base", "app/tree", "app/secrets", "web/site"];
  assert.deepEqual((await idle({ phase: "replicate" }, at("shift"))).reverse(), [
    ...prepared,
    "backup/run",
    "backup/prove",
    "host/retire",
  ]);
  const settled = await idle({ phase: "settle" }, { ...at("switch"), at: "settle" });
  for (const step of ["app/tree", "media/finish", "switchover/run"] as const)
    assert.ok(settled.includes(step), step);
  for (const step of ["access/grant", "dns/wait", "tunnel/up", "web/renewal", "host/retire"] as const)
    assert.ok(!settled.includes(step), step);
  // What a step is told may change (with the media in a bucket, say), but there is no source any more to ask.
  const retired = await idle(
    { phase: "retire", confirmRetire: "social.example" },
    { ...at("switch"), at: "settle" },
  );
  for (const step of ["web/certificates", "media/finish", "switchover/run", "switchover/check"] as const)
    assert.ok(retired.includes(step), step);
  for (const step of ["access/grant", "tunnel/up", "host/retire"] as const)
    assert.ok(!retired.includes(step), step);
});

test("another port or user of the source is told to those who log in there, and to nobody else", async () => {
  const told = async (config: Record<string, string>) =>
    new Map(steps(await program({ phase: "switch", ...config }, at("shift"))).map((s) => [s.name, s.inputs]));
  const before = await told({});
  const now = await told({ sourcePort: "2222", sourceUser: "admin" });
  const others = [...now].filter(
    ([name, { stdin }]) => !isDeepStrictEqual(stdin, before.get(name)?.["stdin"]),
  );
  const given = others.map(([name, { stdin }]) => [name, loginNames(JSON.stringify(stdin))]);
  const needed = Object.keys(plan).map((name) => [name, loginNames(textOf(`${name}.sh`))]);
  assert.deepEqual(Object.fromEntries(given), Object.fromEntries(needed.filter(([, names]) => names)));
  assert.equal(
    loginNames(["shift", "proxy", "switch"].map((gate) => textOf(`gate/${gate}.sh`)).join("\n")),
    "",
  );
});

const loginNames = (text: string) =>
  [...new Set(text.match(/SOURCE_SSH_(PORT|USER)/g) ?? [])].sort().join(" ");

/** A script with all that it sources. */
function textOf(script: string): string {
  const text = readFileSync(path.join(__dirname, "../../scripts", script), "utf8");
  return text.replace(/^ *\. "\$scripts\/(.*)"$/gm, (_, sourced: string) => textOf(sourced));
}

test("an unprivileged SSH user runs steps through sudo", async () => {
  const list = await program({ sourceUser: "admin" });
  assert.equal(
    named(list, "access/grant").inputs["create"],
    "sudo -n bash /opt/trunkline/scripts/run access/grant",
  );
  assert.equal(
    named(list, "source/folder").inputs["create"],
    "sudo -n install -d -m 0755 -o admin /opt/trunkline",
  );
});

test("a new server is dialled for long, a known one is not", async () => {
  const dials = (list: Registered[], name: string) => connectionOf(named(list, name)).dialErrorLimit;
  const fresh = await program({});
  assert.deepEqual([dials(fresh, "target/folder"), dials(fresh, "source/folder")], [100, 10]);
  assert.equal(dials(await program({}, at("prepare")), "target/folder"), 100);
});

test("every step is told the facts of the source, and where both servers are", async () => {
  const told = settingsOf(named(await program({}), "app/stop"));
  const { SIDE, DOMAIN, SOURCE_ADDRESS, TARGET_ADDRESS, PG_MAJOR, DB_NAME, APP_DIR, WEB_DOMAIN } = told;
  assert.deepEqual(
    { SIDE, DOMAIN, SOURCE_ADDRESS, TARGET_ADDRESS, PG_MAJOR, DB_NAME, APP_DIR, WEB_DOMAIN },
    {
      SIDE: "source",
      DOMAIN: "social.example",
      SOURCE_ADDRESS: "198.18.0.10",
      TARGET_ADDRESS: "198.18.1.10",
      PG_MAJOR: "15",
      DB_NAME: "mastodon_production",
      APP_DIR: "/home/mastodon/live",
      WEB_DOMAIN: "social.example",
    },
  );
});

test("each step gets its own secrets and no other", async () => {
  const list = await program({});
  const secret = /PASSWORD|TOKEN|PRIVATE_KEY|SALT/;
  const given = steps(list)
    .filter((s) => s.name in plan)
    .map((s) => [
      s.name,
      Object.keys(settingsOf(s))
        .filter((k) => secret.test(k))
        .sort()
        .join(" "),
    ]);
  assert.deepEqual(Object.fromEntries(given.filter(([, keys]) => keys)), {
    "app/tree": "READ_PRIVATE_KEY",
    "app/secrets": "HASH_SALT READ_PRIVATE_KEY",
    "web/certificates": "READ_PRIVATE_KEY",
    "database/publish": "APP_PASSWORD REPL_PASSWORD",
    "switchover/agent": "AGENT_TOKEN",
    "tunnel/up": "TUNNEL_PRIVATE_KEY",
    "database/standby": "REPL_PASSWORD",
    "pooler/up": "APP_PASSWORD",
    "media/copy": "READ_PRIVATE_KEY",
    "media/follow": "READ_PRIVATE_KEY",
    "media/finish": "READ_PRIVATE_KEY",
    "switchover/run": "AGENT_TOKEN APP_PASSWORD REPL_PASSWORD",
  });
});

test("the app's step is told how the app comes, and what from where the admin says so", async () => {
  const told = async (config: Record<string, string>) => {
    const given = settingsOf(named(await program(config), "app/tree"));
    const names = [
      "APP_INSTALL",
      "APP_REPOSITORY",
      "APP_REF",
      "SOURCE_RELEASE",
      "SOURCE_REPOSITORY",
      "SOURCE_REF",
    ];
    return names.map((name) => given[name]);
  };
  const found = ["debian-12", "https://github.com/mastodon/mastodon.git", "3f2a".repeat(10)];
  assert.deepEqual(await told({}), ["auto", "", "", ...found]);
  const appRepository = "https://git.example/our/mastodon.git";
  assert.deepEqual(await told({ appInstall: "official", appRepository, appRef: "v4.5.3+ours" }), [
    ...["official", appRepository, "v4.5.3+ours"],
    ...found,
  ]);
});

test("the facts are kept as first seen", async () => {
  assert.deepEqual(named(await program({}), "first-seen").ignoreChanges, ["input"]);
});

/** What the steps are told in a second run, for a source in which something has changed since the first. */
async function later(changes: Parameters<typeof source>[0][]): Promise<Record<string, Registered>[]> {
  const run = (change: Parameters<typeof source>[0]) =>
    program({ phase: "prepare" }, { source: source((s) => (traces.prepare(s), change?.(s))), ...found() });
  const first = await run(() => undefined);
  stashed["first-seen"] = named(first, "first-seen").inputs["input"];
  const runs: Record<string, Registered>[] = [];
  try {
    for (const change of changes) {
      const list = steps(await run(change));
      const changed = list.filter((s) => s.inputs["stdin"] && !sameTold(s, named(first, s.name)));
      runs.push(Object.fromEntries(changed.map((s) => [s.name, s])));
    }
  } finally {
    delete stashed["first-seen"];
  }
  return runs;
}
const sameTold = (a: Registered, b: Registered) => isDeepStrictEqual(a.inputs["stdin"], b.inputs["stdin"]);

test("a source that has changed below shift is carried again, each part by its own steps", async () => {
  const runs = await later([
    () => undefined,
    (s) => (s.mastodon.stamp = "built anew"),
    (s) => (s.mastodon.env.hashes["SMTP_PASSWORD"] = "new"),
    (s) => (s.mastodon.env.values["SMTP_SERVER"] = "mx.example"),
    (s) => s.mastodon.env.keys.push("EMPTY"),
    (s) => Object.assign(s.nginx.certificates[0] ?? {}, { notAfterMs: now + 80 * day }),
    (s) => (s.nginx.stamp = "another site"),
  ]);
  const env = ["app/secrets", "app/prove"];
  const site = ["web/certificates", "web/site"];
  assert.deepEqual(runs.map(Object.keys), [[], ["app/tree"], env, env, env, ["web/certificates"], site]);
});

test("the version that the tree is compared with, and the code that is installed, are those of today", async () => {
  const [own, unknown] = await later([
    (s) => Object.assign(s.mastodon, { version: "4.6.0", git: { ...s.mastodon.git, head: "9".repeat(40) } }),
    (s) => Object.assign(s.mastodon, { version: "4.6.0", git: null }),
  ]);
  const told = (run: Record<string, Registered> = {}) => {
    assert.deepEqual(Object.keys(run), ["app/tree"]);
    const { MASTODON_VERSION, SOURCE_REF } = settingsOf(named(Object.values(run), "app/tree"));
    return [MASTODON_VERSION, SOURCE_REF];
  };
  assert.deepEqual(told(own), ["4.6.0", "9".repeat(40)]);
  assert.deepEqual(told(unknown), ["4.6.0", "v4.6.0"]);
});

test("from shift on the source is not followed any more, but for its certificates until the switch", async () => {
  const kept = async (change: Partial<Parameters<typeof program>[1]>) =>
    named(await program({}, { ...found(), ...change }), "last-seen").ignoreChanges;
  const of = (...parts: string[]) => parts.map((part) => `input.${part}`);
  const app = of("version", "repository", "ref", "tree", "env", "site", "pairs");
  assert.deepEqual(await kept(at("replicate")), []);
  assert.deepEqual(await kept(at("shift")), app);
  assert.deepEqual((await kept(at("switch"))).sort(), [...app, ...of("pair")].sort());
  // What could not be told this time has not changed.
  assert.deepEqual(await kept({ source: source((s) => (traces.prepare(s), (s.mastodon.git = null))) }), [
    ...of("repository", "ref"),
  ]);
});

test("from switch on the server, its addresses and the switchover are protected, and as long as the data are there", async () => {
  const guarded = async (phase: string, stands: keyof typeof traces) =>
    (await program({ phase }, at(stands)))
      .filter((r) => r.protect)
      .map((r) => r.name)
      .sort();
  assert.deepEqual(await guarded("shift", "shift"), []);
  assert.deepEqual(await guarded("switch", "shift"), [
    "server-ipv4",
    "server-ipv6",
    "server-server",
    "switchover/run",
  ]);
  // On the way back nothing of it may be destroyed until it has been found that the data are back.
  assert.deepEqual(await guarded("shift", "switch"), ["switchover/run"]);
});

test("gates stand before the shift and before the switch, for create and update, and not behind", async () => {
  const hooks = (list: Registered[]) =>
    list
      .filter((r) => r.hooks.beforeCreate.length)
      .map((r) => [r.name, ...r.hooks.beforeCreate, ...r.hooks.beforeUpdate, ...r.hooks.afterCreate]);
  assert.deepEqual(hooks(await program({})), [
    ["app/serve", "gate-shift", "gate-shift"],
    ["switchover/run", "gate-switch", "gate-switch"],
  ]);
  assert.deepEqual(hooks(await program({ phase: "replicate" })), []);
  assert.deepEqual(hooks(await program({}, at("shift"))), [["switchover/run", "gate-switch", "gate-switch"]]);
  assert.deepEqual(hooks(await program({ phase: "shift" }, at("switch"))), []);
});

test("DNS is adopted first of all, exactly as it is, and the run that adopts changes nothing", async () => {
  const list = await program({});
  const dns = named(list, "dns-social.example-A");
  assert.equal(dns.importId, "zone/record-a");
  assert.deepEqual(dns.inputs, {
    zoneId: "zone",
    name: "social.example",
    type: "A",
    content: "198.18.0.10",
    ttl: 300,
    proxied: false,
  });
  assert.deepEqual([dns.retainOnDelete, dns.protect], [true, false]);
  assert.ok(named(list, "source/folder").after.includes(dns.name));
  assert.equal(wants(list)["dns/wait"], "absent");
  assert.equal(wants(list)["web/renewal"], "absent");
});

test("a stack that begins after the switch keeps the records as they must have been", async () => {
  const pointing = { ...record, id: "zone/record-a", values: ["198.18.1.10"], ttl: 60 };
  const list = await program({ phase: "shift" }, { ...at("switch"), dns: [pointing] });
  const { inputs, importId } = named(list, "dns-social.example-A");
  assert.deepEqual([inputs["content"], inputs["ttl"], importId], ["198.18.0.10", 60, "zone/record-a"]);
});

test("DNS follows the phase in the runs after, and is never made beside what is there", async () => {
  const id = "zone/record-a";
  const dns = async (phase: string, stands: keyof typeof traces) => {
    const list = await program({ phase, confirmRetire: "social.example" }, at(stands));
    const { inputs, importId, after } = named(list, "dns-social.example-A");
    return [inputs["content"], inputs["ttl"], importId, after.filter((n) => n in plan).join()];
  };
  assert.deepEqual(await dns("prepare", "prepare"), ["198.18.0.10", 60, id, "switchover/check"]);
  assert.deepEqual(await dns("settle", "shift"), ["198.18.1.10", 60, id, "switchover/check"]);
  assert.deepEqual(await dns("retire", "switch"), ["198.18.1.10", 300, id, "switchover/check"]);
  assert.deepEqual(await dns("shift", "switch"), ["198.18.0.10", 60, id, "dns/wait"]);
  assert.deepEqual(await dns("survey", "prepare"), ["198.18.0.10", 300, id, "dns/wait"]);
});

test("an AAAA record moves to the target's IPv6 address, and a proxied one keeps its automatic TTL", async () => {
  const list = await program(
    { phase: "switch" },
    {
      ...at("switch"),
      dns: [
        { ...record, id: "zone/a", proxied: true, ttl: 1 },
        { ...record, type: "AAAA", values: ["2001:db8::1"], id: "zone/aaaa" },
      ],
    },
  );
  const { inputs: a } = named(list, "dns-social.example-A");
  const { inputs: aaaa } = named(list, "dns-social.example-AAAA");
  assert.deepEqual([a["content"], a["ttl"], a["proxied"]], ["198.18.1.10", 1, true]);
  assert.deepEqual([aaaa["content"], aaaa["ttl"]], ["2001:db8::10", 60]);
  assert.equal(settingsOf(named(list, "app/stop"))["WANT"], "present");
  // What is proxied shows Cloudflare's addresses to the world, before and after: there is nothing to wait for.
  assert.equal(settingsOf(named(list, "dns/wait"))["RECORDS"], "social.example AAAA 2001:db8::10");
});

test("DNS by hand: no record is registered, and the wait says what to change", async () => {
  const list = await program({ dnsProvider: "none", dnsZone: "", phase: "switch" });
  assert.deepEqual(
    list.filter((r) => r.name.startsWith("dns-")),
    [],
  );
  const stdin = (named(list, "dns/wait").inputs["stdin"] as { secret: string }).secret;
  assert.match(stdin, /^WANT='present'$/m);
  assert.match(stdin, /^RECORDS='social\.example A 198\.18\.1\.10'$/m);
  assert.match(stdin, /^BEFORE='social\.example A 198\.18\.0\.10'$/m);
  assert.match(stdin, /^DNS_BY_HAND='yes'$/m);
});

test("feeds are built only where Redis is left behind", async () => {
  const list = await program({ carryRedis: "false" });
  assert.deepEqual(inChain(list), Object.keys(plan));
  assert.equal(settingsOf(named(list, "redis/replica"))["CARRY_REDIS"], "no");
});

test("a source that is gone for good: the target's steps alone", async () => {
  const list = await program(
    { phase: "settle", acceptFindings: "source-unreachable" },
    { ...found(), source: undefined, at: "settle", unreachable: { source: "no answer" } },
  );
  assert.deepEqual(
    inChain(list),
    chain.filter((s) => plan[s as keyof typeof plan].on === "target"),
  );
});

test("an error of the survey ends the run before anything is registered", async () => {
  const list: Registered[] = [];
  await assert.rejects(
    program({}, { source: source((s) => (s.postgres.prepared = 3)) }).then((l) => list.push(...l)),
    /the survey found an error; nothing has been changed:\n {2}error prepared-transactions: .*\n {4}found: 3 in/,
  );
  assert.deepEqual(list, []);
});
