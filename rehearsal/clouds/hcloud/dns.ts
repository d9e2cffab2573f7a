/** Hetzner DNS: record sets of a zone that is there already. */
import { checkContent } from "../dnsdata";
import type { Cloud } from "../lab";
import type { Failure, Function, Resource } from "../resource";
import { take, type DnsRecord, type Store, type Zone } from "../store";
import { compact, type Json, type Props } from "../values";
import { notFound } from "./common";

const TYPES = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DS",
  "HINFO",
  "HTTPS",
  "MX",
  "NS",
  "PTR",
  "RP",
  "SOA",
  "SRV",
  "SVCB",
  "TLSA",
  "TXT",
];

export function zoneOf(store: Store, which: Json | undefined): Zone {
  const found = store.state.zones.find(
    (z) => z.provider === "hcloud" && [z.id, z.name].includes(String(which)),
  );
  return found ?? notFound("zone", which);
}

function full(zone: Zone, name: string): string {
  return name === "@" ? zone.name : `${name}.${zone.name}`;
}

function relative(zone: Zone, name: string): string {
  return name === zone.name ? "@" : name.slice(0, -zone.name.length - 1);
}

function recordsOf(zone: Zone, name: string, type: string): DnsRecord[] {
  return zone.records.filter((r) => r.name === full(zone, name) && r.type === type);
}

function check(inputs: Props): Failure[] {
  const { type, ttl, name, records } = inputs;
  const failures: Failure[] = [];
  const add = (property: string, reason: string): number => failures.push({ property, reason });
  if (type !== undefined && !TYPES.includes(String(type)))
    add("type", `"${String(type)}" is not a record type`);
  if (ttl !== undefined && (Number(ttl) < 60 || Number(ttl) > 2147483647))
    add("ttl", `ttl must be 60 or more, got ${String(ttl)}`);
  if (typeof name === "string" && (name.endsWith(".") || name !== name.toLowerCase())) {
    add("name", `"${name}" must be lower case, relative to the zone ("@", "www"), without a trailing dot`);
  }
  if (Array.isArray(records) && records.length === 0) add("records", "at least one record is needed");
  for (const record of (records ?? []) as Props[]) {
    const wrong = checkContent(String(type), String(record["value"]));
    if (wrong) add("records", wrong);
  }
  return failures;
}

function write(store: Store, zone: Zone, name: string, inputs: Props): void {
  const now = new Date().toISOString();
  store.change(() => {
    take(zone.records, (r) => recordsOf(zone, name, String(inputs["type"])).includes(r));
    for (const record of inputs["records"] as Props[]) {
      zone.records.push({
        id: store.id(),
        name: full(zone, name),
        type: String(inputs["type"]),
        content: String(record["value"]),
        comment: record["comment"] === undefined ? undefined : String(record["comment"]),
        ttl: inputs["ttl"] === undefined ? undefined : Number(inputs["ttl"]),
        createdOn: now,
        modifiedOn: now,
      });
    }
    zone.serial++;
  });
}

export function zoneRrset({ store }: Cloud): Resource {
  return {
    // The SDK does without a name, and then gets a random one, which nobody wants: here it must be given.
    required: ["zone", "name", "type", "records"],
    optional: ["ttl", "labels", "changeProtection"],
    computed: ["changeProtection"],
    replaceOn: ["zone", "name", "type"],
    check,
    async create(inputs) {
      const zone = zoneOf(store, inputs["zone"]);
      const name = String(inputs["name"]);
      const type = String(inputs["type"]);
      if (recordsOf(zone, name, type).length > 0)
        throw new Error(`RRSet ${name}/${type} already exists (uniqueness_error)`);
      if (
        zone.records.some((r) => r.name === full(zone, name) && (r.type === "CNAME") !== (type === "CNAME"))
      ) {
        throw new Error(`${name}: a CNAME cannot stand beside other records (invalid_input)`);
      }
      write(store, zone, name, inputs);
      return { id: `${name}/${type}`, outputs: { changeProtection: false } };
    },
    /** Import ids are ZONE/NAME/TYPE; in the state it is NAME/TYPE. */
    async read(id) {
      const parts = id.split("/");
      const type = parts.pop() ?? "";
      const name = parts.pop() ?? "";
      const zone = parts.length
        ? zoneOf(store, parts.join("/"))
        : store.state.zones.find((z) => recordsOf(z, name, type).length);
      const [first, ...others] = zone ? recordsOf(zone, name, type) : [];
      if (!zone || !first) return undefined;
      const records = [first, ...others].map((r) => compact({ value: r.content, comment: r.comment }));
      return {
        id: `${name}/${type}`,
        inputs: compact({ zone: zone.name, name, type, ttl: first.ttl, records }),
      };
    },
    async update(_id, inputs) {
      write(store, zoneOf(store, inputs["zone"]), String(inputs["name"]), inputs);
    },
    async delete(_id, old) {
      const zone = zoneOf(store, old.outputs["zone"]);
      const gone = recordsOf(zone, String(old.outputs["name"]), String(old.outputs["type"]));
      store.change(() => {
        take(zone.records, (r) => gone.includes(r));
        zone.serial++;
      });
    },
  };
}

function describeZone(zone: Zone): Props {
  return {
    id: Number(zone.id),
    name: zone.name,
    mode: "primary",
    ttl: zone.ttl,
    labels: {},
    deleteProtection: false,
    primaryNameservers: [],
    registrar: "other",
    authoritativeNameservers: {
      assigneds: zone.nameServers,
      delegateds: zone.nameServers,
      delegationLastCheck: "",
      delegationStatus: "valid",
    },
  };
}

function describeSet(zone: Zone, name: string, type: string): Props {
  const [first, ...others] = recordsOf(zone, name, type);
  if (!first) return notFound("RRSet", `${name}/${type}`);
  const records = [first, ...others].map((r) => ({ value: r.content, comment: r.comment ?? "" }));
  // A set without a TTL of its own has none here either; it is served with the zone's.
  return compact({
    id: `${name}/${type}`,
    zone: zone.name,
    name,
    type,
    ttl: first.ttl,
    labels: {},
    changeProtection: false,
    records,
  });
}

export function lookups({ store }: Cloud): Record<string, Function> {
  return {
    "hcloud:index/getZone:getZone": async (args) => describeZone(zoneOf(store, args["id"] ?? args["name"])),
    "hcloud:index/getZones:getZones": async () => {
      return {
        id: "zones",
        zones: store.state.zones.filter((z) => z.provider === "hcloud").map(describeZone),
      };
    },
    "hcloud:index/getZoneRrset:getZoneRrset": async (args) => {
      const [name, type] = args["id"] ? String(args["id"]).split("/") : [args["name"], args["type"]];
      return describeSet(zoneOf(store, args["zone"]), String(name), String(type));
    },
    "hcloud:index/getZoneRrsets:getZoneRrsets": async (args) => {
      const zone = zoneOf(store, args["zone"]);
      const keys = new Set(zone.records.map((r) => `${relative(zone, r.name)}/${r.type}`));
      const rrsets = [...keys].map((key) => describeSet(zone, ...(key.split("/") as [string, string])));
      return { id: "rrsets", zone: String(args["zone"]), rrsets };
    },
  };
}
