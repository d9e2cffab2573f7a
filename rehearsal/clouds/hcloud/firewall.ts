/** Firewalls of the stand-in Hetzner Cloud; the lab enforces their inbound rules where it can. */
import { applyFirewalls, type Cloud } from "../lab";
import type { Failure, Resource } from "../resource";
import { take, type Firewall, type FirewallRule } from "../store";
import type { Json, Props } from "../values";
import { notFound, refuseDuplicate } from "./common";

const CIDR = /^([0-9.]+\/\d{1,2}|[0-9a-f:]+\/\d{1,3})$/i;

function checkRule(rule: Props): string | undefined {
  const { direction, protocol, port, sourceIps, destinationIps } = rule;
  if (direction !== "in" && direction !== "out")
    return `direction must be in or out, got ${String(direction)}`;
  if (!["tcp", "udp", "icmp", "gre", "esp"].includes(String(protocol)))
    return `protocol ${String(protocol)} is not known`;
  const wantsPort = protocol === "tcp" || protocol === "udp";
  if (wantsPort && !/^(any|\d+(-\d+)?)$/.test(String(port ?? "")))
    return `${String(protocol)} needs a port, "80-85" or "any"`;
  if (!wantsPort && port) return `${String(protocol)} takes no port`;
  const ips = ((direction === "in" ? sourceIps : destinationIps) ?? []) as string[];
  if (ips.length === 0)
    return `${direction === "in" ? "sourceIps" : "destinationIps"} must name at least one network`;
  const wrong = ips.find((ip) => !CIDR.test(ip));
  return wrong && `${wrong} is not a network in CIDR notation`;
}

function check(inputs: Props): Failure[] {
  const rules = (inputs["rules"] ?? []) as Props[];
  const found = rules.map((rule, i) => ({ property: `rules[${i}]`, reason: checkRule(rule) ?? "" }));
  return found.filter(({ reason }) => reason !== "");
}

function rulesOf(inputs: Props): FirewallRule[] {
  return ((inputs["rules"] ?? []) as Props[])
    .filter((rule) => rule["direction"] === "in")
    .map((rule) => ({
      protocol: String(rule["protocol"]),
      port: rule["port"] === undefined ? undefined : String(rule["port"]),
      sources: rule["sourceIps"] as string[],
    }));
}

async function reapply(cloud: Cloud): Promise<void> {
  for (const server of cloud.store.state.servers.filter((s) => s.provider === "hcloud")) {
    await applyFirewalls(cloud, server);
  }
}

export function firewall(cloud: Cloud): Resource {
  const { store } = cloud;
  const mine = (): Firewall[] => store.state.firewalls.filter((f) => f.provider === "hcloud");
  return {
    optional: ["name", "labels", "rules"],
    autoName: "name",
    check,
    async create(inputs) {
      refuseDuplicate("firewall", inputs["name"], mine());
      const row = { name: String(inputs["name"]), rules: rulesOf(inputs), inputs };
      const id = store.id();
      store.change((s) => s.firewalls.push({ id, provider: "hcloud", ...row }));
      return { id };
    },
    async read(id) {
      const found = mine().find((f) => f.id === id);
      return found && { inputs: found.inputs };
    },
    async update(id, inputs) {
      const found = mine().find((f) => f.id === id) ?? notFound("firewall", id);
      store.change(() =>
        Object.assign(found, { inputs, name: String(inputs["name"]), rules: rulesOf(inputs) }),
      );
      await reapply(cloud);
    },
    async delete(id) {
      const { servers, attachments } = store.state;
      if (
        servers.some((s) => s.firewalls.includes(id)) ||
        attachments.some((a) => a.firewall === id && a.servers.length)
      ) {
        throw new Error(`firewall ${id} is still in use (resource_in_use)`);
      }
      store.change((s) => take(s.firewalls, (f) => f.id === id && f.provider === "hcloud"));
    },
  };
}

/** Not modelled and refused: label selectors. */
export function firewallAttachment(cloud: Cloud): Resource {
  const { store } = cloud;
  const serversOf = (ids: Json | undefined): string[] => {
    const known = new Set(store.state.servers.map((s) => s.id));
    return ((ids ?? []) as number[]).map(String).map((id) => (known.has(id) ? id : notFound("server", id)));
  };
  return {
    required: ["firewallId"],
    optional: ["serverIds"],
    replaceOn: ["firewallId"],
    async create(inputs) {
      const firewall = String(inputs["firewallId"]);
      if (!store.state.firewalls.some((f) => f.id === firewall)) notFound("firewall", firewall);
      const row = { id: firewall, firewall, servers: serversOf(inputs["serverIds"]), inputs };
      store.change((s) => s.attachments.push(row));
      await reapply(cloud);
      return { id: firewall };
    },
    async read(id) {
      const found = store.state.attachments.find((a) => a.id === id);
      return found && { inputs: found.inputs };
    },
    async update(id, inputs) {
      const found = store.state.attachments.find((a) => a.id === id) ?? notFound("firewall attachment", id);
      store.change(() => Object.assign(found, { inputs, servers: serversOf(inputs["serverIds"]) }));
      await reapply(cloud);
    },
    async delete(id) {
      store.change((s) => take(s.attachments, (a) => a.id === id));
      await reapply(cloud);
    },
  };
}
