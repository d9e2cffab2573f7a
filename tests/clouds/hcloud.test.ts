/** The stand-in Hetzner Cloud takes and refuses what the API takes and refuses. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";
import { startClouds, type Clouds, type NewServer } from "../../rehearsal/clouds";
import type { FirewallRule } from "../../rehearsal/clouds/store";
import { ed25519Pair } from "../../rehearsal/clouds/tls";
import type { Props } from "../../rehearsal/clouds/values";
import { Plugin, portsOf } from "./plugin";

const SERVER = "hcloud:index/server:Server";
const KEY = "hcloud:index/sshKey:SshKey";
const IP = "hcloud:index/primaryIp:PrimaryIp";
const RDNS = "hcloud:index/rdns:Rdns";
const FIREWALL = "hcloud:index/firewall:Firewall";
const ATTACHMENT = "hcloud:index/firewallAttachment:FirewallAttachment";
const RRSET = "hcloud:index/zoneRrset:ZoneRrset";
const token = "h".repeat(64);

describe("hcloud", () => {
  let clouds: Clouds, plugin: Plugin;
  let booted: NewServer[], filters: Record<string, FirewallRule[] | undefined>;

  beforeEach(async () => {
    [booted, filters] = [[], {}];
    const lab = {
      bootServer: async (s: NewServer) => void booted.push(s),
      deleteServer: async (name: string) => void (booted = booted.filter((s) => s.name !== name)),
      setFirewall: async (s: { name: string }, rules: FirewallRule[] | undefined) =>
        void (filters[s.name] = rules),
    };
    clouds = await startClouds({ lab });
    plugin = await Plugin.open(portsOf(clouds.env)["hcloud"] ?? 0, { token });
  });
  afterEach(async () => {
    await plugin.close();
    await clouds.stop();
  });

  const server = (more: Props = {}): Props => ({
    serverType: "cx23",
    image: "debian-12",
    location: "fsn1",
    name: "new",
    ...more,
  });

  it("refuses a token that is none", async () => {
    await assert.rejects(
      Plugin.open(portsOf(clouds.env)["hcloud"] ?? 0, { token: "short" }),
      /64 characters/,
    );
  });

  it("boots a server with keys, host key and address, and gives what the API gives", async () => {
    const { public: publicKey } = ed25519Pair();
    const key = await plugin.create(KEY, { publicKey });
    assert.match(String(key.outputs["name"]), /^thing-[0-9a-f]{7}$/);
    const ip = await plugin.create(IP, { type: "ipv4", location: "fsn1", name: "ip" });
    const userData =
      "#cloud-config\nhostname: new\nssh_keys:\n  ed25519_private: SECRET\n  ed25519_public: PUBLIC\n";
    const publicNets = [{ ipv4: Number(ip.id), ipv4Enabled: true, ipv6Enabled: true }];
    const { outputs } = await plugin.create(SERVER, server({ sshKeys: [key.id], userData, publicNets }));
    assert.equal(outputs["ipv4Address"], ip.outputs["ipAddress"]);
    assert.equal(outputs["status"], "running");
    assert.match(String(outputs["ipv6Network"]), /::\/64$/);
    assert.deepEqual(booted[0]?.publicKeys, [publicKey.trim()]);
    assert.deepEqual(booted[0]?.cloudConfig.hostKey, { private: "SECRET", public: "PUBLIC" });
  });

  it("takes a public key once, whatever its name and comment", async () => {
    const [name, other, publicKey] = ["one", "two", ed25519Pair().public.trim()];
    await plugin.create(KEY, { name, publicKey: `${publicKey} laptop` });
    await assert.rejects(plugin.create(KEY, { name: other, publicKey }), /uniqueness_error/);
    const { sshKeys } = await plugin.invoke("hcloud:index/getSshKeys:getSshKeys", {});
    assert.deepEqual(
      (sshKeys as Props[]).map((k) => k["name"]),
      [name],
    );
  });

  const refused: [string, Props, RegExp][] = [
    ["a server type that is none", { serverType: "big" }, /server type big not found/],
    ["a location that is none", { location: "mars" }, /location "mars" not found/],
    ["an image that the lab has not", { image: "ubuntu-24.04" }, /debian-12 and nothing else/],
    ["a name that is no host name", { name: "a_b" }, /not a valid host name/],
    ["user data over 32 KiB", { userData: `#cloud-config\n${"#".repeat(33_000)}` }, /32 KiB/],
    [
      "cloud-init that it does not carry out",
      { userData: "#cloud-config\nruncmd: [reboot]\n" },
      /runcmd.*is not among/s,
    ],
    ["a key that is not in the ring", { sshKeys: ["nobody"] }, /SSH key not found/],
    ["an argument that it does not know", { turbo: true }, /Unsupported argument: "turbo"/],
    ["half a protection", { deleteProtection: true }, /same value/],
  ];
  for (const [what, more, says] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(plugin.create(SERVER, server(more)), says);
      assert.equal(booted.length, 0);
    });
  }

  it("refuses a name that is taken, and takes back a server that did not boot", async () => {
    await plugin.create(SERVER, server());
    await assert.rejects(plugin.create(SERVER, server()), /server name is already used \(uniqueness_error\)/);
    assert.equal(clouds.api.state.servers.length, 1);
  });

  it("replaces on image, location, userData and sshKeys, and on nothing else", async () => {
    const olds = server({ labels: { a: "1" } });
    for (const [name, value] of Object.entries({
      image: "x",
      location: "hel1",
      userData: "u",
      sshKeys: ["k"],
    })) {
      assert.equal((await plugin.diff(SERVER, olds, { ...olds, [name]: value })).replaces.length, 1, name);
    }
    assert.deepEqual(await plugin.diff(SERVER, olds, server({ labels: { a: "2" } })), {
      changed: ["labels.a"],
      replaces: [],
    });
  });

  it("keeps a primary IP when its server goes, and gives its address to one server only", async () => {
    const ip = await plugin.create(IP, { type: "ipv4", location: "fsn1" });
    const publicNets = [{ ipv4: Number(ip.id), ipv4Enabled: true, ipv6Enabled: false }];
    const one = await plugin.create(SERVER, server({ publicNets }));
    await assert.rejects(plugin.create(SERVER, server({ publicNets, name: "two" })), /already assigned/);
    await assert.rejects(plugin.delete(IP, ip.id, ip.outputs), /must_be_unassigned/);
    await plugin.delete(SERVER, one.id, one.outputs);
    assert.equal(booted.length, 0);
    const again = await plugin.create(SERVER, server({ publicNets, name: "three" }));
    assert.equal(again.outputs["ipv4Address"], one.outputs["ipv4Address"]);
  });

  it("refuses a primary IP elsewhere", async () => {
    const ip = await plugin.create(IP, { type: "ipv4", location: "hel1" });
    const publicNets = [{ ipv4: Number(ip.id), ipv4Enabled: true }];
    await assert.rejects(plugin.create(SERVER, server({ publicNets })), /primary_ip_datacenter_mismatch/);
  });

  it("hands the rules of all attached firewalls to the lab, and none when there is no firewall", async () => {
    const rules = [{ direction: "in", protocol: "tcp", port: "443", sourceIps: ["0.0.0.0/0", "::/0"] }];
    const firewall = await plugin.create(FIREWALL, { rules });
    const made = await plugin.create(SERVER, server({ firewallIds: [] }));
    assert.equal(filters["new"], undefined);
    const attachment = { firewallId: Number(firewall.id), serverIds: [Number(made.id)] };
    const attached = await plugin.create(ATTACHMENT, attachment);
    assert.deepEqual(filters["new"], [{ protocol: "tcp", port: "443", sources: ["0.0.0.0/0", "::/0"] }]);
    await assert.rejects(plugin.delete(FIREWALL, firewall.id, {}), /resource_in_use/);
    await plugin.delete(ATTACHMENT, attached.id, attachment);
    assert.equal(filters["new"], undefined);
    const wrong = [{ direction: "in", protocol: "tcp", sourceIps: ["0.0.0.0/0"] }];
    await assert.rejects(plugin.create(FIREWALL, { rules: wrong }), /tcp needs a port/);
  });

  it("names an address that is the server's, and no other", async () => {
    const made = await plugin.create(SERVER, server());
    const rdns = {
      serverId: Number(made.id),
      ipAddress: String(made.outputs["ipv4Address"]),
      dnsPtr: "social.example",
    };
    await plugin.create(RDNS, rdns);
    assert.equal(clouds.api.state.reverse[rdns.ipAddress], "social.example");
    await assert.rejects(plugin.create(RDNS, { ...rdns, ipAddress: "198.18.9.9" }), /not found/);
  });

  it("keeps a record set: never over an existing one, by import, changed in place", async () => {
    const records = [{ name: "www.social.example", type: "A", content: "198.18.0.10", ttl: 3600 }];
    clouds.api.addZone({ provider: "hcloud", name: "social.example", records });
    const set: Props = {
      zone: "social.example",
      name: "www",
      type: "A",
      ttl: 60,
      records: [{ value: "198.18.1.10" }],
    };
    await assert.rejects(plugin.create(RRSET, set), /already exists/);
    const found = await plugin.import(RRSET, "social.example/www/A");
    assert.deepEqual(found, {
      id: "www/A",
      inputs: { ...set, ttl: 3600, records: [{ value: "198.18.0.10" }] },
    });
    assert.deepEqual((await plugin.diff(RRSET, found.inputs, set)).replaces, []);
    await plugin.update(RRSET, { id: "www/A", inputs: found.inputs, outputs: found.inputs, secret: [] }, set);
    assert.deepEqual(
      clouds.api.records("www.social.example").map((r) => [r.content, r.ttl]),
      [["198.18.1.10", 60]],
    );
    await assert.rejects(plugin.create(RRSET, { ...set, name: "low", ttl: 30 }), /ttl must be 60 or more/);
    await assert.rejects(plugin.create(RRSET, { ...set, records: [{ value: "x" }] }), /valid IPv4/);
    const looked = await plugin.invoke("hcloud:index/getZoneRrset:getZoneRrset", {
      zone: "social.example",
      name: "www",
      type: "A",
    });
    assert.deepEqual([looked["ttl"], looked["records"]], [60, [{ value: "198.18.1.10", comment: "" }]]);
  });

  it("gives a set no TTL where it has none of its own", async () => {
    clouds.api.addZone({
      provider: "hcloud",
      name: "social.example",
      records: [{ name: "social.example", type: "A", content: "198.18.0.10" }],
    });
    const { rrsets } = await plugin.invoke("hcloud:index/getZoneRrsets:getZoneRrsets", {
      zone: "social.example",
    });
    assert.deepEqual(
      (rrsets as Props[]).map((r) => [r["name"], r["type"], r["ttl"]]),
      [["@", "A", undefined]],
    );
  });

  it("finds servers by label, so that one made before a crash can be taken over by import", async () => {
    const made = await plugin.create(SERVER, server({ labels: { stack: "dev" } }));
    const find = async (withSelector: string): Promise<unknown[]> =>
      (await plugin.invoke("hcloud:index/getServers:getServers", { withSelector }))["servers"] as unknown[];
    assert.equal((await find("stack=dev")).length, 1);
    assert.equal((await find("stack=prod")).length, 0);
    assert.equal((await plugin.import(SERVER, made.id)).inputs["name"], "new");
    assert.equal((await plugin.import(SERVER, "999")).id, "");
  });

  it("fails on 500 as the real client does, rides out 429, and does not do a lost call twice unseen", async () => {
    clouds.api.fail({ package: "hcloud", kind: "500", times: 1, match: "create" });
    await assert.rejects(plugin.create(KEY, { publicKey: sshPublic() }), /status code 500/);
    clouds.api.fail({ package: "hcloud", kind: "429", times: 1, match: "create" });
    await plugin.create(KEY, { publicKey: sshPublic() });
    clouds.api.fail({ package: "hcloud", kind: "lost", times: 1, match: SERVER });
    await assert.rejects(plugin.create(SERVER, server()), /uniqueness_error/);
    assert.equal(booted.length, 1);
    clouds.api.fail({ package: "hcloud", kind: "429", times: 99, match: "nothing" });
    clouds.api.heal();
    const outcomes = clouds.api.calls.filter((c) => c.call.includes(KEY)).map((c) => c.outcome);
    assert.deepEqual(outcomes, ["500", "429", "ok"]);
    assert.throws(() => clouds.api.fail({ package: "azure", kind: "500", times: 1 }), /no such API/);
  });
});

function sshPublic(): string {
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const text = (s: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, s.length]), s]);
  const blob = Buffer.concat([text(Buffer.from("ssh-ed25519")), text(Buffer.from(x ?? "", "base64url"))]);
  return `ssh-ed25519 ${blob.toString("base64")}`;
}
