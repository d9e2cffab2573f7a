/**
 * The stand-in Cloudflare: DNS records of zones that are there already, with the provider's own traps: a record that
 * exists is never taken over by a create, `proxied` wants ttl 1 and only the API says so, import ids are ZONE/RECORD.
 * Not modelled and refused: data, settings, tags, privateRouting, the deprecated Record, everything but DNS and R2 (r2.ts).
 */
import { randomBytes } from "node:crypto";
import { checkContent } from "./dnsdata";
import type { Cloud } from "./lab";
import { r2, r2Functions } from "./r2";
import type { Failure, Function, Package, Resource } from "./resource";
import { take, type DnsRecord, type Zone } from "./store";
import { compact, type Json, type Props } from "./values";

const TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"];
const PROXIABLE = ["A", "AAAA", "CNAME"];
const REFUSED = ["data", "settings", "tags", "privateRouting", "includeShadowMetadata"];

function apiError(code: number, message: string): Error {
  return new Error(
    `failed to make http request: 400 Bad Request {"errors":[{"code":${code},"message":${JSON.stringify(message)}}]}`,
  );
}

function check(inputs: Props): Failure[] {
  const { type, ttl, name } = inputs;
  const failures: Failure[] = [];
  const add = (property: string, reason: string): number => failures.push({ property, reason });
  if (type !== undefined && !TYPES.includes(String(type)))
    add("type", `the stand-in has no record type "${String(type)}"`);
  if (ttl !== undefined && Number(ttl) !== 1 && (Number(ttl) < 60 || Number(ttl) > 86400)) {
    add("ttl", `ttl must be 1 (automatic) or between 60 and 86400, got ${String(ttl)}`);
  }
  if (typeof name === "string" && (name === "@" || !name.includes(".") || name.endsWith("."))) {
    add(
      "name",
      `give the full name without a trailing dot: the real provider takes "${name}", and then shows a change on every run`,
    );
  }
  for (const field of REFUSED) if (inputs[field] !== undefined) add(field, "not in the stand-in");
  return failures;
}

/** What the API says to a record, existing ones considered. */
function refuse(zone: Zone, inputs: Props, self?: DnsRecord): void {
  const [type, name, content] = [
    String(inputs["type"]),
    String(inputs["name"]).toLowerCase(),
    String(inputs["content"]),
  ];
  if (inputs["content"] === undefined) throw apiError(9020, "DNS record content is missing");
  const wrong = checkContent(type, content);
  if (wrong) throw apiError(9005, wrong);
  if (name !== zone.name && !name.endsWith(`.${zone.name}`)) {
    throw apiError(
      9000,
      `DNS name ${name} is not in zone ${zone.name}: the real API would append the zone's name, and drift`,
    );
  }
  if (inputs["proxied"] === true && !PROXIABLE.includes(type))
    throw apiError(9004, "This record type cannot be proxied.");
  if (inputs["proxied"] === true && inputs["ttl"] !== 1)
    throw apiError(9021, "ttl must be set to 1 when `proxied` is true");
  const beside = zone.records.filter((r) => r.name === name && r !== self);
  if (beside.some((r) => r.type === type && r.content === content)) {
    throw apiError(81058, "An identical record already exists.");
  }
  const isAddress = (t: string): boolean => ["A", "AAAA", "CNAME"].includes(t);
  if (beside.some((r) => (r.type === "CNAME" || type === "CNAME") && isAddress(r.type) && isAddress(type))) {
    throw apiError(81053, "An A, AAAA, or CNAME record with that host already exists.");
  }
}

function inputsOf(zone: Zone, record: DnsRecord): Props {
  const { name, type, content, ttl, proxied, priority, comment } = record;
  return compact({
    zoneId: zone.id,
    name,
    type,
    content,
    ttl: ttl ?? 1,
    proxied: proxied ?? false,
    priority,
    comment,
  });
}

function outputsOf(record: DnsRecord): Props {
  const { createdOn, modifiedOn } = record;
  return { proxiable: PROXIABLE.includes(record.type), createdOn, modifiedOn, meta: {} };
}

function fill(record: DnsRecord, inputs: Props): void {
  const optional = <T>(name: string, as: (v: Json) => T): T | undefined =>
    inputs[name] === undefined ? undefined : as(inputs[name]);
  Object.assign(record, {
    name: String(inputs["name"]).toLowerCase(),
    type: String(inputs["type"]),
    content: String(inputs["content"]),
    ttl: Number(inputs["ttl"]),
    proxied: inputs["proxied"] === true,
    priority: optional("priority", Number),
    comment: optional("comment", String),
    modifiedOn: new Date().toISOString(),
  });
}

function dnsRecord(cloud: Cloud): Resource {
  const { store } = cloud;
  const find = (zone: Zone, id: string): DnsRecord => {
    const found = zone.records.find((r) => r.id === id);
    if (!found)
      throw new Error(
        `failed to make http request: 404 Not Found {"errors":[{"code":81044,"message":"Record does not exist."}]}`,
      );
    return found;
  };
  return {
    required: ["zoneId", "name", "type", "ttl"],
    optional: ["content", "priority", "proxied", "comment", ...REFUSED],
    computed: ["proxied"],
    replaceOn: ["zoneId", "type"],
    outputs: ["proxiable", "createdOn", "modifiedOn", "meta", "commentModifiedOn", "tagsModifiedOn"],
    check,
    async create(inputs) {
      const zone = zoneById(cloud, inputs["zoneId"]);
      refuse(zone, inputs);
      const now = new Date().toISOString();
      const record = { id: randomBytes(16).toString("hex"), createdOn: now } as DnsRecord;
      fill(record, inputs);
      store.change(() => {
        zone.records.push(record);
        zone.serial++;
      });
      return { id: record.id, outputs: outputsOf(record) };
    },
    /** For an import: ZONE/RECORD; the id in the state is the record's alone. */
    async read(id) {
      const [record = "", zoneId] = id.split("/").reverse();
      const zones = store.state.zones.filter(
        (z) => z.provider === "cloudflare" && (!zoneId || z.id === zoneId),
      );
      const zone = zones.find((z) => z.records.some((r) => r.id === record));
      if (!zone) return undefined;
      const found = find(zone, record);
      return { id: record, inputs: inputsOf(zone, found), outputs: outputsOf(found) };
    },
    async update(id, inputs) {
      const zone = zoneById(cloud, inputs["zoneId"]);
      const record = find(zone, id);
      refuse(zone, inputs, record);
      store.change(() => {
        fill(record, inputs);
        zone.serial++;
      });
      return outputsOf(record);
    },
    async delete(id, old) {
      const zone = zoneById(cloud, old.outputs["zoneId"]);
      store.change(() => {
        take(zone.records, (r) => r.id === id);
        zone.serial++;
      });
    },
  };
}

function zoneById({ store }: Cloud, id: Json | undefined): Zone {
  const found = store.state.zones.find((z) => z.provider === "cloudflare" && z.id === id);
  if (!found)
    throw apiError(
      7003,
      `Could not route to /zones/${String(id)}/dns_records, perhaps your object identifier is invalid?`,
    );
  return found;
}

function describeZone(zone: Zone): Props {
  const account = { id: "0123456789abcdef0123456789abcdef", name: "Rehearsal" };
  return {
    id: zone.id,
    zoneId: zone.id,
    name: zone.name,
    status: "active",
    type: "full",
    paused: false,
    nameServers: zone.nameServers,
    account,
  };
}

/** `exact`, `startswith`, `endswith`, `contains`. */
function matches(filter: Json | undefined, value: string): boolean {
  const { exact, startswith, endswith, contains } = (filter ?? {}) as Record<string, string | undefined>;
  return (
    (exact === undefined || value === exact.toLowerCase()) &&
    (startswith === undefined || value.startsWith(startswith)) &&
    (endswith === undefined || value.endsWith(endswith)) &&
    (contains === undefined || value.includes(contains))
  );
}

function lookups(cloud: Cloud): Record<string, Function> {
  const zones = (filter: Props): Zone[] =>
    cloud.store.state.zones.filter(
      (z) => z.provider === "cloudflare" && (filter["name"] === undefined || z.name === filter["name"]),
    );
  const records = (zone: Zone, filter: Props): Props[] =>
    zone.records
      .filter((r) => filter["type"] === undefined || r.type === filter["type"])
      .filter((r) => matches(filter["name"], r.name) && matches(filter["content"], r.content))
      .filter((r) => filter["proxied"] === undefined || (r.proxied ?? false) === filter["proxied"])
      .map((r) => ({ ...inputsOf(zone, r), ...outputsOf(r), id: r.id }));
  const one = <T>(found: T[], what: string): T => {
    const [only] = found.length === 1 ? found : [];
    if (only === undefined) throw new Error(`failed to find exactly one result: ${found.length} ${what}`);
    return only;
  };
  return {
    "cloudflare:index/getZone:getZone": async (args) => {
      if (args["zoneId"]) return describeZone(zoneById(cloud, args["zoneId"]));
      return { ...args, ...describeZone(one(zones((args["filter"] ?? {}) as Props), "zones")) };
    },
    "cloudflare:index/getZones:getZones": async (args) => ({
      match: "all",
      ...args,
      results: zones(args).map(describeZone),
    }),
    "cloudflare:index/getDnsRecords:getDnsRecords": async (args) => {
      return { match: "all", ...args, results: records(zoneById(cloud, args["zoneId"]), args) };
    },
    "cloudflare:index/getDnsRecord:getDnsRecord": async (args) => {
      const all = records(zoneById(cloud, args["zoneId"]), (args["filter"] ?? {}) as Props);
      const id = args["dnsRecordId"];
      return { ...args, ...one(id === undefined ? all : all.filter((r) => r["id"] === id), "records") };
    },
  };
}

export function cloudflare(cloud: Cloud): Package {
  return {
    name: "cloudflare",
    version: "6.22.1",
    configure(config) {
      const { apiToken, apiKey, email } = config;
      if (apiToken ?? (apiKey && email) ?? process.env["CLOUDFLARE_API_TOKEN"]) return;
      throw new Error("must provide exactly one of api_key, api_token or api_user_service_key");
    },
    resources: { "cloudflare:index/dnsRecord:DnsRecord": dnsRecord(cloud), ...r2(cloud) },
    functions: { ...lookups(cloud), ...r2Functions },
  };
}
