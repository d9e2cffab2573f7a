/** Firewall groups and their rules; the lab enforces them where it can. */
import { randomUUID } from "node:crypto";
import { applyFirewalls, type Cloud } from "../lab";
import type { Failure, Resource } from "../resource";
import { take } from "../store";
import type { Props } from "../values";
import { apiError } from "./error";

export function firewallGroup({ store }: Cloud): Resource {
  return {
    optional: ["description"],
    outputs: ["dateCreated", "dateModified", "instanceCount", "maxRuleCount", "ruleCount"],
    async create(inputs) {
      const id = randomUUID();
      store.change((s) => s.firewalls.push({ id, provider: "vultr", name: id, rules: [], inputs }));
      const now = new Date().toISOString();
      return {
        id,
        outputs: { dateCreated: now, dateModified: now, instanceCount: 0, maxRuleCount: 50, ruleCount: 0 },
      };
    },
    async update(id, inputs) {
      store.change((s) => s.firewalls.filter((f) => f.id === id).forEach((f) => (f.inputs = inputs)));
    },
    async delete(id) {
      store.change((s) => take(s.firewalls, (f) => f.id === id));
    },
  };
}

function checkRule(inputs: Props): Failure[] {
  const { protocol, ipType, port } = inputs;
  const failures: Failure[] = [];
  if (ipType !== undefined && ipType !== "v4" && ipType !== "v6")
    failures.push({ property: "ipType", reason: "expected v4 or v6" });
  if (protocol !== undefined && !["tcp", "udp", "icmp", "gre", "esp", "ah"].includes(String(protocol))) {
    failures.push({ property: "protocol", reason: `Invalid protocol: ${String(protocol)}` });
  }
  if (typeof port === "string" && !/^\d+(:\d+)?$/.test(port)) {
    failures.push({ property: "port", reason: `Invalid port "${port}": ranges are written 80:85` });
  }
  return failures;
}

/** Every change of a rule makes a new one. */
export function firewallRule(cloud: Cloud): Resource {
  const { store } = cloud;
  const rebuild = async (group: string): Promise<void> => {
    const rules = store.state.firewallRules
      .filter((r) => r.firewall === group)
      .map(({ inputs }) => ({
        protocol: String(inputs["protocol"]),
        port: inputs["port"] === undefined ? undefined : String(inputs["port"]).replace(":", "-"),
        sources: [`${String(inputs["subnet"])}/${String(inputs["subnetSize"])}`],
      }));
    store.change((s) => s.firewalls.filter((f) => f.id === group).forEach((f) => (f.rules = rules)));
    for (const s of store.state.servers.filter((one) => one.firewalls.includes(group)))
      await applyFirewalls(cloud, s);
  };
  return {
    required: ["firewallGroupId", "ipType", "protocol", "subnet", "subnetSize"],
    optional: ["port", "notes"],
    check: checkRule,
    async create(inputs) {
      const firewall = String(inputs["firewallGroupId"]);
      if (!store.state.firewalls.some((f) => f.id === firewall))
        throw apiError("Invalid firewall-group-id.", 404);
      const id = store.id();
      store.change((s) => s.firewallRules.push({ id, firewall, inputs }));
      await rebuild(firewall);
      return { id };
    },
    async delete(id) {
      const [gone] = store.change((s) => take(s.firewallRules, (r) => r.id === id));
      if (gone) await rebuild(gone.firewall);
    },
  };
}
