/** SSH keys, primary IPs and reverse names of the stand-in Hetzner Cloud. */
import { createHash } from "node:crypto";
import net from "node:net";
import { freeIpv4, freeIpv6, type Cloud } from "../lab";
import type { Resource } from "../resource";
import { take, type Address } from "../store";
import type { Props } from "../values";
import { checkLocation, notFound, refuseDuplicate } from "./common";

export function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? "", "base64");
  return (createHash("md5").update(blob).digest("hex").match(/../g) ?? []).join(":");
}

export function sshKey({ store }: Cloud): Resource {
  const ring = (): typeof store.state.sshKeys => store.state.sshKeys.filter((k) => k.provider === "hcloud");
  return {
    required: ["publicKey"],
    optional: ["name", "labels"],
    replaceOn: ["publicKey"],
    outputs: ["fingerprint"],
    autoName: "name",
    async create(inputs) {
      const publicKey = String(inputs["publicKey"]).trim();
      if (!/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( .*)?$/.test(publicKey)) {
        throw new Error("invalid input in field 'public_key' (invalid_input)");
      }
      refuseDuplicate("SSH key", inputs["name"], ring());
      const blob = publicKey.split(/\s+/)[1];
      if (ring().some((k) => k.publicKey.split(/\s+/)[1] === blob)) {
        throw new Error("SSH key with the same fingerprint already exists (uniqueness_error)");
      }
      const id = store.id();
      const row = { id, provider: "hcloud" as const, name: String(inputs["name"]), publicKey, inputs };
      store.change((s) => s.sshKeys.push(row));
      return { id, outputs: { fingerprint: fingerprint(publicKey) } };
    },
    async read(id) {
      const found = ring().find((k) => k.id === id);
      return found && { inputs: found.inputs, outputs: { fingerprint: fingerprint(found.publicKey) } };
    },
    async update(id, inputs) {
      const found = ring().find((k) => k.id === id) ?? notFound("SSH key", id);
      store.change(() => Object.assign(found, { inputs, name: String(inputs["name"]) }));
    },
    async delete(id) {
      store.change((s) => take(s.sshKeys, (k) => k.id === id && k.provider === "hcloud"));
    },
  };
}

export function describeAddress(address: Address): Props {
  return {
    ipAddress: address.ip,
    ipNetwork: address.type === "ipv6" ? `${address.ip}/64` : "",
    assigneeId: Number(address.server ?? 0),
    datacenter: "",
  };
}

/** An address that outlives servers. Not modelled: assigning it to a running server. */
export function primaryIp(cloud: Cloud): Resource {
  const { store } = cloud;
  const find = (id: string): Address | undefined => store.state.addresses.find((a) => a.id === id);
  return {
    required: ["type"],
    optional: ["location", "name", "assigneeType", "autoDelete", "deleteProtection", "labels"],
    computed: ["assigneeType", "autoDelete", "deleteProtection"],
    replaceOn: ["type", "location"],
    outputs: ["ipAddress", "ipNetwork", "assigneeId", "datacenter"],
    autoName: "name",
    check(inputs) {
      const { type } = inputs;
      const isKnown = type === undefined || type === "ipv4" || type === "ipv6";
      const wrong = isKnown
        ? []
        : [{ property: "type", reason: `expected ipv4 or ipv6, got ${String(type)}` }];
      return [...wrong, ...checkLocation(inputs["location"])];
    },
    async create(inputs) {
      if (!inputs["location"])
        throw new Error("missing location (invalid_input): a primary IP without a server needs one");
      refuseDuplicate("primary IP", inputs["name"], store.state.addresses);
      const type = inputs["type"] as "ipv4" | "ipv6";
      const ip = type === "ipv4" ? freeIpv4(cloud, store.state) : freeIpv6(cloud);
      const row: Address = { id: store.id(), name: String(inputs["name"]), type, ip, inputs };
      store.change((s) => s.addresses.push(row));
      return { id: row.id, outputs: describeAddress(row) };
    },
    async read(id) {
      const found = find(id);
      return found && { inputs: found.inputs, outputs: describeAddress(found) };
    },
    async update(id, inputs) {
      const found = find(id) ?? notFound("primary IP", id);
      store.change(() => Object.assign(found, { inputs, name: String(inputs["name"]) }));
      return describeAddress(found);
    },
    async delete(id) {
      const found = find(id);
      if (found?.server)
        throw new Error(`primary IP ${found.name} is assigned to a server (must_be_unassigned)`);
      store.change((s) => {
        delete s.reverse[found?.ip ?? ""];
        take(s.addresses, (a) => a.id === id);
      });
    },
  };
}

const OWNERS = ["serverId", "primaryIpId", "floatingIpId", "loadBalancerId"];

export function rdns({ store }: Cloud): Resource {
  return {
    required: ["ipAddress", "dnsPtr"],
    optional: OWNERS,
    replaceOn: ["ipAddress", ...OWNERS],
    check(inputs) {
      const { ipAddress } = inputs;
      if (ipAddress === undefined || net.isIP(String(ipAddress))) return [];
      return [{ property: "ipAddress", reason: `${String(ipAddress)} is not an IP address` }];
    },
    async create(inputs) {
      const owners = OWNERS.filter((name) => inputs[name] !== undefined);
      const [owner = ""] = owners;
      if (owners.length !== 1)
        throw new Error(`one of ${OWNERS.join(", ")} must be given, found ${owners.length}`);
      const ip = String(inputs["ipAddress"]);
      const { servers, addresses } = store.state;
      const isOurs =
        owner === "serverId"
          ? servers.some(
              (s) => s.id === String(inputs[owner]) && (s.ipv4 === ip || (s.ipv6 && ip.startsWith(s.ipv6))),
            )
          : addresses.some((a) => a.id === String(inputs[owner]) && (a.ip === ip || ip.startsWith(a.ip)));
      if (!isOurs) notFound("IP address", ip);
      store.change((s) => (s.reverse[ip] = String(inputs["dnsPtr"])));
      return { id: `${owner[0]}-${String(inputs[owner])}-${ip}` };
    },
    async update(_id, inputs) {
      store.change((s) => (s.reverse[String(inputs["ipAddress"])] = String(inputs["dnsPtr"])));
    },
    async delete(_id, old) {
      store.change((s) => delete s.reverse[String(old.outputs["ipAddress"])]);
    },
  };
}
