/**
 * The stand-in Vultr (@ediri/vultr 2.21.0): instances, keys, firewall groups, reverse names. Any other type or
 * argument is refused by name.
 */
import { randomUUID } from "node:crypto";
import type { Cloud } from "../lab";
import type { Package, Resource } from "../resource";
import { take, type Server } from "../store";
import type { Json, Props } from "../values";
import { apiError } from "./error";
import { firewallGroup, firewallRule } from "./firewall";
import { instance, instances } from "./instance";

function sshKey({ store }: Cloud): Resource {
  return {
    required: ["sshKey"],
    optional: ["name"],
    outputs: ["dateCreated"],
    autoName: "name",
    async create(inputs) {
      const publicKey = String(inputs["sshKey"]).trim();
      if (!/^(ssh-|ecdsa-)\S+ \S+/.test(publicKey)) throw apiError("Invalid SSH key.");
      const row = {
        id: randomUUID(),
        provider: "vultr" as const,
        name: String(inputs["name"]),
        publicKey,
        inputs,
      };
      store.change((s) => s.sshKeys.push(row));
      return { id: row.id, outputs: { dateCreated: new Date().toISOString() } };
    },
    async update(id, inputs) {
      const found = store.state.sshKeys.find((k) => k.id === id);
      if (!found) throw apiError("Invalid SSH key.", 404);
      const fresh = { inputs, name: String(inputs["name"]), publicKey: String(inputs["sshKey"]).trim() };
      store.change(() => Object.assign(found, fresh));
    },
    async delete(id) {
      store.change((s) => take(s.sshKeys, (k) => k.id === id));
    },
  };
}

function reverse({ store }: Cloud, family: "ipv4" | "ipv6"): Resource {
  const owns = (server: Server, ip: string): boolean =>
    family === "ipv4" ? server.ipv4 === ip : server.ipv6 !== undefined && ip.startsWith(server.ipv6);
  return {
    required: ["instanceId", "ip", "reverse"],
    outputs: family === "ipv4" ? ["gateway", "netmask"] : [],
    async create(inputs) {
      const ip = String(inputs["ip"]);
      const server = store.state.servers.find((s) => s.id === inputs["instanceId"]);
      if (!server || !owns(server, ip))
        throw apiError(`Invalid IP: ${ip} is not an address of this instance`);
      store.change((s) => (s.reverse[ip] = String(inputs["reverse"])));
      const outputs: Props = { gateway: ip.replace(/\d+$/, "1"), netmask: "255.255.255.0" };
      return { id: ip, outputs: family === "ipv4" ? outputs : {} };
    },
    async delete(id: string) {
      store.change((s) => delete s.reverse[id]);
    },
  };
}

function requireKey(key: Json | undefined): void {
  if (!key) throw new Error('"api_key": required field is not set');
}

export function vultr(cloud: Cloud): Package {
  return {
    name: "vultr",
    version: "2.21.0",
    configure: (config) => requireKey(config["apiKey"] ?? process.env["VULTR_API_KEY"]),
    resources: {
      "vultr:index/instance:Instance": instance(cloud),
      "vultr:index/sSHKey:SSHKey": sshKey(cloud),
      "vultr:index/firewallGroup:FirewallGroup": firewallGroup(cloud),
      "vultr:index/firewallRule:FirewallRule": firewallRule(cloud),
      "vultr:index/reverseIpv4:ReverseIpv4": reverse(cloud, "ipv4"),
      "vultr:index/reverseIpv6:ReverseIpv6": reverse(cloud, "ipv6"),
    },
    functions: { "vultr:index/getInstances:getInstances": instances(cloud) },
  };
}
