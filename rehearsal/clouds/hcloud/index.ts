/**
 * The stand-in Hetzner Cloud: what the API takes, gives and refuses, for the resources that a migration uses.
 * Any other type, argument or function is refused by name.
 */
import type { Cloud } from "../lab";
import type { Function, Package } from "../resource";
import type { Props } from "../values";
import { notFound, selects } from "./common";
import { lookups, zoneRrset } from "./dns";
import { firewall, firewallAttachment } from "./firewall";
import { describeAddress, fingerprint, primaryIp, rdns, sshKey } from "./ring";
import { describe, server } from "./server";

/** Look-ups of one kind: the one with an id or a name, and all that a selector selects. */
function finders(one: string, many: string, list: string, all: () => Props[]): Record<string, Function> {
  return {
    [`hcloud:index/${one}:${one}`]: async (args) => {
      const keys = ["id", "name", "ipAddress", "fingerprint"].filter((key) => args[key] !== undefined);
      const found = all().filter(
        (item) =>
          keys.every((key) => item[key] === args[key]) && selects(args["withSelector"], item["labels"]),
      );
      if (found.length !== 1) notFound(one.replace(/^get/, ""), JSON.stringify(args));
      return { ...args, ...found[0] };
    },
    [`hcloud:index/${many}:${many}`]: async (args) => {
      return {
        ...args,
        id: many,
        [list]: all().filter((item) => selects(args["withSelector"], item["labels"])),
      };
    },
  };
}

export function hcloud(cloud: Cloud): Package {
  const { state } = cloud.store;
  const common = (row: { id: string; name: string; inputs: Props }): Props => {
    return { labels: {}, ...row.inputs, id: Number(row.id), name: row.name };
  };
  return {
    name: "hcloud",
    version: "1.41.0",
    configure(config) {
      const token = String(config["token"] ?? process.env["HCLOUD_TOKEN"] ?? "");
      if (token.length !== 64)
        throw new Error("entered token is invalid (must be exactly 64 characters long)");
    },
    resources: {
      "hcloud:index/server:Server": server(cloud),
      "hcloud:index/sshKey:SshKey": sshKey(cloud),
      "hcloud:index/primaryIp:PrimaryIp": primaryIp(cloud),
      "hcloud:index/rdns:Rdns": rdns(cloud),
      "hcloud:index/firewall:Firewall": firewall(cloud),
      "hcloud:index/firewallAttachment:FirewallAttachment": firewallAttachment(cloud),
      "hcloud:index/zoneRrset:ZoneRrset": zoneRrset(cloud),
    },
    functions: {
      ...lookups(cloud),
      ...finders("getServer", "getServers", "servers", () =>
        state.servers.filter((s) => s.provider === "hcloud").map((s) => ({ ...common(s), ...describe(s) })),
      ),
      ...finders("getPrimaryIp", "getPrimaryIps", "primaryIps", () =>
        state.addresses.map((a) => ({ ...common(a), ...describeAddress(a) })),
      ),
      ...finders("getSshKey", "getSshKeys", "sshKeys", () =>
        state.sshKeys
          .filter((k) => k.provider === "hcloud")
          .map((k) => ({ ...common(k), fingerprint: fingerprint(k.publicKey) })),
      ),
      ...finders("getFirewall", "getFirewalls", "firewalls", () =>
        state.firewalls.filter((f) => f.provider === "hcloud").map(common),
      ),
    },
  };
}
