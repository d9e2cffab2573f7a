/** The stand-in Vultr. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startClouds, type Clouds, type NewServer } from "../../rehearsal/clouds";
import type { FirewallRule } from "../../rehearsal/clouds/store";
import { ed25519Pair } from "../../rehearsal/clouds/tls";
import type { Props } from "../../rehearsal/clouds/values";
import { Plugin, portsOf } from "./plugin";

const INSTANCE = "vultr:index/instance:Instance";
const RULE = "vultr:index/firewallRule:FirewallRule";

describe("vultr", () => {
  let clouds: Clouds, plugin: Plugin;
  const booted: NewServer[] = [];
  let filter: FirewallRule[] | undefined;
  before(async () => {
    clouds = await startClouds({
      lab: {
        bootServer: async (s) => void booted.push(s),
        deleteServer: async () => void booted.pop(),
        setFirewall: async (_s, rules) => void (filter = rules),
      },
    });
    plugin = await Plugin.open(portsOf(clouds.env)["vultr"] ?? 0, { apiKey: "k" });
  });
  after(async () => {
    await plugin.close();
    await clouds.stop();
  });
  const instance = (more: Props = {}): Props => ({
    plan: "vc2-2c-4gb",
    region: "fra",
    osId: 2136,
    hostname: "new",
    ...more,
  });

  it("boots an instance with its key, firewall and reverse name", async () => {
    const { public: sshKey } = ed25519Pair();
    const key = await plugin.create("vultr:index/sSHKey:SSHKey", { sshKey, name: "k" });
    const group = await plugin.create("vultr:index/firewallGroup:FirewallGroup", { description: "web" });
    const rule = {
      firewallGroupId: group.id,
      ipType: "v4",
      protocol: "tcp",
      port: "80:443",
      subnet: "0.0.0.0",
      subnetSize: 0,
    };
    await plugin.create(RULE, rule);
    const made = await plugin.create(
      INSTANCE,
      instance({ sshKeyIds: [key.id], firewallGroupId: group.id, enableIpv6: true }),
    );
    assert.equal(made.outputs["mainIp"], "198.18.1.10");
    assert.deepEqual(made.secret, ["defaultPassword"]);
    assert.deepEqual(booted[0]?.publicKeys, [sshKey.trim()]);
    assert.deepEqual(filter, [{ protocol: "tcp", port: "80-443", sources: ["0.0.0.0/0"] }]);
    const { instances } = await plugin.invoke("vultr:index/getInstances:getInstances", {
      filters: [{ name: "hostname", values: ["new", "other"] }],
    });
    assert.deepEqual(
      (instances as Props[]).map((i) => i["id"]),
      [made.id],
    );
    const reverse = { instanceId: made.id, ip: "198.18.1.10", reverse: "social.example" };
    await plugin.create("vultr:index/reverseIpv4:ReverseIpv4", reverse);
    assert.equal(clouds.api.state.reverse["198.18.1.10"], "social.example");
    await assert.rejects(
      plugin.create("vultr:index/reverseIpv4:ReverseIpv4", { ...reverse, ip: "198.18.1.11" }),
      /Invalid IP/,
    );
    await plugin.delete(INSTANCE, made.id, made.outputs);
    assert.equal(booted.length, 0);
  });

  it("refuses what the API refuses", async () => {
    await assert.rejects(plugin.create(INSTANCE, instance({ plan: "huge" })), /Invalid plan/);
    await assert.rejects(plugin.create(INSTANCE, instance({ region: "mars" })), /Invalid location/);
    await assert.rejects(plugin.create(INSTANCE, instance({ osId: 1 })), /Debian 12/);
    await assert.rejects(plugin.create(INSTANCE, instance({ scriptId: "s" })), /not in the stand-in/);
    const rule = {
      firewallGroupId: "x",
      ipType: "v4",
      protocol: "tcp",
      port: "80-443",
      subnet: "0.0.0.0",
      subnetSize: 0,
    };
    await assert.rejects(plugin.create(RULE, rule), /ranges are written 80:85/);
  });

  it("replaces on hostname, key, user data and system, and every change of a rule", async () => {
    const olds = instance({ label: "a" });
    const changes: Props[] = [
      { hostname: "b" },
      { sshKeyIds: ["k"] },
      { userData: "u" },
      { osId: 2 },
      { region: "ams" },
    ];
    for (const more of changes) {
      assert.equal((await plugin.diff(INSTANCE, olds, { ...olds, ...more })).replaces.length, 1);
    }
    assert.deepEqual((await plugin.diff(INSTANCE, olds, { ...olds, label: "b" })).replaces, []);
    assert.deepEqual((await plugin.diff(RULE, { notes: "a" }, { notes: "b" })).replaces, ["notes"]);
  });
});
