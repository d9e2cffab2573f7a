import assert from "node:assert/strict";
import { test } from "node:test";
import { lookUpRecords } from "../../components/dns";
import { passing, refuse, type Verdict } from "../../components/gate";
import { patiently } from "../../components/patience";
import { cloudConfig } from "../../components/host-key";
import { keyLabel, lookUpTarget, type Made, targetServer } from "../../components/server";
import { fingerprintOf } from "../../components/ssh";
import { encodeSettings, readResult } from "../../components/step";
import { make as hetznerRecord } from "../../components/dns-hetzner";
import { record } from "./cases/worlds";
import { cloud, migration } from "./configs";
import { type Calls, named, register } from "./engine";

const server = (change: Record<string, string> = {}, made: Made = {}) =>
  targetServer({ migration: migration(change, cloud), made, reverseName: "social.example", protect: true });

test("a server at Hetzner: its children, and nothing that could replace it", async () => {
  const list = await register(() => void server());
  assert.deepEqual(list.map((r) => `${r.type} ${r.name}`).sort(), [
    "hcloud:index/firewall:Firewall server-firewall",
    "hcloud:index/primaryIp:PrimaryIp server-ipv4",
    "hcloud:index/primaryIp:PrimaryIp server-ipv6",
    "hcloud:index/rdns:Rdns server-rdns-ipv4",
    "hcloud:index/rdns:Rdns server-rdns-ipv6",
    "hcloud:index/server:Server server-server",
    "hcloud:index/sshKey:SshKey server-ssh-key",
    "tls:index/privateKey:PrivateKey server-host-key",
    "trunkline:index:HetznerServer server",
  ]);
  const vm = named(list, "server-server");
  assert.deepEqual(
    [vm.protect, vm.ignoreChanges],
    [true, ["image", "location", "publicNets", "sshKeys", "userData"]],
  );
  assert.deepEqual(
    [named(list, "server-ipv4").inputs["autoDelete"], named(list, "server-ipv4").protect],
    [false, true],
  );
  assert.match((vm.inputs["userData"] as { secret: string }).secret, /private half of server-host-key/);
  assert.equal((vm.inputs["labels"] as Record<string, string>)["trunkline"], "social.example");
  const rules = named(list, "server-firewall").inputs["rules"] as { port: string; sourceIps: string[] }[];
  assert.deepEqual(rules.find((r) => r.port === "22")?.sourceIps, ["203.0.113.7/32"]);
});

test("a key that is in the project already is used, and no other is made beside it", async () => {
  const list = await register(() => void server({}, { foreignKey: "42" }));
  assert.deepEqual(named(list, "server-server").inputs["sshKeys"], ["42"]);
  assert.ok(!list.some((r) => r.name === "server-ssh-key"));
});

test("without IPv6 there is no address and no reverse name for it", async () => {
  const list = await register(() => void server({ serverIpv6: "false" }));
  assert.deepEqual(
    list.filter((r) => r.name.includes("ipv6")),
    [],
  );
});

test("a server at Vultr: its children, and nothing that could replace it", async () => {
  const list = await register(() => void server({ targetProvider: "vultr" }));
  assert.deepEqual(
    list.map((r) => `${r.type} ${r.name}`).sort(),
    [
      "tls:index/privateKey:PrivateKey server-host-key",
      "trunkline:index:VultrServer server",
      "vultr:index/firewallGroup:FirewallGroup server-firewall",
      ...["http-v4", "http-v6", "https-v4", "https-v6", "ping-v4", "ping-v6", "ssh-203-0-113-7-32"].map(
        (r) => `vultr:index/firewallRule:FirewallRule server-firewall-${r}`,
      ),
      "vultr:index/instance:Instance server-instance",
      "vultr:index/reverseIpv4:ReverseIpv4 server-rdns-ipv4",
      "vultr:index/reverseIpv6:ReverseIpv6 server-rdns-ipv6",
      "vultr:index/sSHKey:SSHKey server-ssh-key",
    ].sort(),
  );
  const vm = named(list, "server-instance");
  assert.deepEqual(
    [vm.protect, vm.ignoreChanges, vm.inputs["osId"]],
    [
      true,
      [
        ...["hostname", "osId", "region", "sshKeyIds", "userData"],
        ...["activationEmail", "enableIpv6", "label"],
      ],
      2136,
    ],
  );
});

/** Answers of a look-up, taken within a program. */
async function ask<T>(calls: Calls, question: () => Promise<T>): Promise<T> {
  let answer: T | undefined;
  await register(async () => void (answer = await question()), { calls });
  return answer as T;
}

test("a cloud's server is found again by its label, and known by its host key's fingerprint", async () => {
  const m = migration({}, cloud);
  const at = (servers: Record<string, unknown>[], others: Calls = {}): Calls => ({
    "hcloud:index/getServers:getServers": () => ({ servers }),
    "hcloud:index/getSshKeys:getSshKeys": () => ({ sshKeys: [] }),
    "hcloud:index/getFirewalls:getFirewalls": () => ({ firewalls: [] }),
    "hcloud:index/getPrimaryIps:getPrimaryIps": () => ({ primaryIps: [] }),
    ...others,
  });
  const one = { id: 7, ipv4Address: "198.18.1.10", labels: { "trunkline-host-key": "abc" } };
  const left = {
    "hcloud:index/getFirewalls:getFirewalls": () => ({ firewalls: [{ id: 8 }] }),
    "hcloud:index/getPrimaryIps:getPrimaryIps": () => ({ primaryIps: [{ id: 9, type: "ipv4" }] }),
  };
  const found = await ask(at([one], left), () => lookUpTarget(m));
  assert.deepEqual([found.server?.host, found.server?.pinned], ["198.18.1.10", { fingerprint: "abc" }]);
  const { server: id, fingerprint, sshKey, firewall, ipv4, ipv6 } = found.made;
  assert.deepEqual([id, fingerprint, firewall, ipv4], ["7", "abc", "8", "9"]);
  assert.deepEqual([sshKey, ipv6], [undefined, undefined]);
  const ring = (...sshKeys: Record<string, unknown>[]): Calls => ({
    ...at([]),
    "hcloud:index/getSshKeys:getSshKeys": () => ({ sshKeys }),
  });
  const keys = async (calls: Calls) => {
    const { made } = await ask(calls, () => lookUpTarget(m));
    return [made.sshKey, made.foreignKey];
  };
  const other = { id: 1, publicKey: "ssh-ed25519 AAAA", labels: {} };
  const same = { id: 2, publicKey: `${m.key.public} me@laptop`, labels: {} };
  const labelled = { id: 3, publicKey: m.key.public, labels: { trunkline: "social.example" } };
  assert.deepEqual(await keys(ring(other)), [undefined, undefined]);
  assert.deepEqual(await keys(ring(other, same)), [undefined, "2"]);
  assert.deepEqual(await keys(ring(other, labelled)), ["3", undefined]);
  assert.equal((await ask(at([]), () => lookUpTarget(m))).server, undefined);
  const two = at([
    { name: "a", labels: {} },
    { name: "b", labels: {} },
  ]);
  await assert.rejects(
    ask(two, () => lookUpTarget(m)),
    /expected one server labelled trunkline=social.example; found a, b/,
  );
  const vultr = {
    "vultr:index/getInstances:getInstances": () => ({
      instances: [{ id: "u", mainIp: "198.18.1.11", tags: ["x", "trunkline-host-key-def"] }],
    }),
  };
  const there = await ask(vultr, () => lookUpTarget(migration({ targetProvider: "vultr" }, cloud)));
  assert.deepEqual([there.server?.host, there.made], ["198.18.1.11", { server: "u", fingerprint: "def" }]);
});

test("what a killed run left at the cloud is taken over; a server made with another host key is not", async () => {
  const mine = fingerprintOf(`ssh-ed25519 ${Buffer.from("server-host-key").toString("base64")}`);
  const made = { server: "7", sshKey: "6", firewall: "8", ipv4: "9", fingerprint: mine };
  const list = await register(() => void server({}, made));
  const imported = list.filter((r) => r.importId).map((r) => `${r.name} ${r.importId}`);
  assert.deepEqual(imported.sort(), [
    "server-firewall 8",
    "server-ipv4 9",
    "server-server 7",
    "server-ssh-key 6",
  ]);
  const vultr = await register(
    () => void server({ targetProvider: "vultr" }, { server: "u", fingerprint: mine }),
  );
  assert.equal(named(vultr, "server-instance").importId, "u");
  const args = { migration: migration({}, cloud), reverseName: "", protect: false };
  assert.throws(
    () => keyLabel(mine, { ...args, made: { server: "7", fingerprint: "another" } }),
    /hetzner has a server for social\.example already \(id 7\), but this stack has not made it/,
  );
});

test("records at Cloudflare are looked up with all that an import has to repeat", async () => {
  const calls: Calls = {
    "cloudflare:index/getZone:getZone": () => ({ zoneId: "z1" }),
    "cloudflare:index/getDnsRecords:getDnsRecords": () => ({
      results: [
        {
          id: "r1",
          name: "social.example",
          type: "A",
          content: "198.18.0.10",
          ttl: 1,
          proxied: true,
          comment: "mine",
          tags: [],
        },
        { id: "r2", name: "social.example", type: "MX", content: "mail.example", ttl: 300, proxied: false },
      ],
    }),
  };
  const dns = { provider: "cloudflare", zone: "social.example", names: [], ttl: 60 } as const;
  const records = await ask(calls, () => lookUpRecords({ ...dns, names: [] }, ["social.example"]));
  assert.deepEqual(records, [
    { ...record, ttl: 1, proxied: true, id: "z1/r1", extra: { comment: "mine", tags: undefined } },
  ]);
});

test("record sets at Hetzner have names within the zone, and are imported by them", async () => {
  const calls: Calls = {
    "hcloud:index/getZoneRrsets:getZoneRrsets": () => ({
      rrsets: [
        { name: "@", type: "A", records: [{ value: "198.18.0.10", comment: "" }], ttl: 300, labels: {} },
        { name: "www", type: "A", records: [{ value: "198.18.0.11" }], ttl: 300, labels: {} },
      ],
    }),
  };
  const records = await ask(calls, () =>
    lookUpRecords({ provider: "hetzner", zone: "social.example", names: [], ttl: 60 }, ["social.example"]),
  );
  assert.deepEqual(
    records.map((r) => [r.name, r.id, r.values]),
    [["social.example", "social.example/@/A", ["198.18.0.10"]]],
  );
  const [found = record] = records;
  const [set] = await register(
    () => void hetznerRecord("dns", found, found, "social.example", { import: found.id }),
  );
  assert.deepEqual(
    [set?.inputs, set?.importId],
    [
      { zone: "social.example", name: "@", type: "A", records: [{ value: "198.18.0.10" }], ttl: 300 },
      "social.example/@/A",
    ],
  );
});

test("settings go through a shell unharmed", async () => {
  const odd = { A: "it's", B: 'two\nlines "and" $HOME `id` \\', C: "", D: "é'''" };
  const { execFileSync } = await import("node:child_process");
  const script = `eval "$(cat)"; printf '%s\\0' "$A" "$B" "$C" "$D"`;
  const out = execFileSync("bash", ["-c", script], { input: encodeSettings(odd) }).toString();
  assert.deepEqual(out.split("\0").slice(0, 4), Object.values(odd));
});

test("a step's result is its last line, if that is one", () => {
  assert.deepEqual(readResult('noise\n{"outcome":"changed","bytes":7}\n'), { outcome: "changed", bytes: 7 });
  for (const none of [undefined, "", "done", "[1]", '{"bytes":7}'])
    assert.deepEqual(readResult(none), { outcome: "unknown" });
});

test("a gate refuses with every reason, and is silent without one", () => {
  refuse("switch", '{"outcome":"unchanged","refusals":[]}\n');
  const says =
    '{"refusals":[{"expected":"no lag","found":"3 s","remedy":"wait"},{"expected":"x","found":"y","remedy":"z"}]}';
  assert.throws(
    () => refuse("switch", `noise\n${says}`),
    /switch is refused, and nothing has been changed for it:\n {2}- expected no lag; found 3 s; do: wait\n {2}- expected x/,
  );
});

test("a gate waits for what may come by itself, and for nothing where another reason stands", () => {
  const of = (...refusals: object[]) => passing({ refusals } as Verdict);
  assert.deepEqual(of(), []);
  assert.deepEqual(of({ expected: "a", passing: true }, { expected: "b", passing: true }), ["a", "b"]);
  assert.deepEqual(of({ expected: "a", passing: true }, { expected: "b" }), []);
});

test("patience looks until nothing is awaited, tells each wait once, and ends at its deadline", async () => {
  const said: string[] = [];
  const how = { seconds: 60, everyMs: 1, say: async (line: string) => void said.push(line) };
  const left = [["x"], ["x"], ["y"], []];
  assert.deepEqual(
    await patiently(
      async () => left.shift() ?? [],
      (l) => l,
      how,
    ),
    [],
  );
  assert.deepEqual(
    said.map((line) => line.split(";")[0]),
    ["waiting for x", "waiting for y"],
  );
  assert.match(said[0] ?? "", /; 60 s at most$/);
  assert.deepEqual(
    await patiently(
      async () => ["z"],
      (l) => l,
      { ...how, seconds: 0.05 },
    ),
    ["z"],
  );
});

test("cloud-init's file pins the host key and lets no password in", () => {
  const text = cloudConfig("private\nhalf\n", "ssh-ed25519 AAAA");
  assert.ok(text.startsWith("#cloud-config\n"));
  const config = JSON.parse(text.slice("#cloud-config\n".length)) as {
    ssh_keys: object;
    ssh_pwauth: boolean;
  };
  assert.deepEqual(config.ssh_keys, {
    ed25519_private: "private\nhalf\n",
    ed25519_public: "ssh-ed25519 AAAA",
  });
  assert.equal(config.ssh_pwauth, false);
});
