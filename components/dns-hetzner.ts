import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { DnsRecord, NewRecord } from "../survey/records";

const types = ["A", "AAAA", "CNAME"];

/** The A, AAAA and CNAME record sets of the names, as the zone has them. */
export async function lookUp(zone: string, names: string[]): Promise<DnsRecord[]> {
  const { rrsets } = await hcloud.getZoneRrsets({ zone });
  return rrsets
    .filter((r) => types.includes(r.type) && names.includes(full(r.name, zone)))
    .map((r) => ({
      name: full(r.name, zone),
      type: r.type as DnsRecord["type"],
      values: r.records.map((v) => v.value),
      ttl: r.ttl ?? 0,
      proxied: false,
      id: `${zone}/${r.name}/${r.type}`,
      extra: {
        comment: r.records[0]?.comment || undefined,
        labels: Object.keys(r.labels ?? {}).length ? r.labels : undefined,
      },
    }));
}

export function make(
  name: string,
  wanted: pulumi.Input<DnsRecord>,
  found: DnsRecord,
  zone: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const w = pulumi.output(wanted);
  const { comment, labels } = found.extra;
  return new hcloud.ZoneRrset(
    name,
    {
      zone,
      name: relative(found.name, zone),
      type: found.type,
      records: w.apply((r) => r.values.map((value) => ({ value, ...(comment && { comment }) }))),
      ttl: w.apply((r) => r.ttl || undefined) as pulumi.Input<number>,
      labels,
    },
    opts,
  );
}

/** A record set that is not there yet. */
export function makeNew(
  name: string,
  wanted: NewRecord,
  zone: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  return new hcloud.ZoneRrset(
    name,
    {
      zone,
      name: pulumi.output(wanted.name).apply((n) => relative(n.replace(/\.$/, ""), zone)),
      type: wanted.type,
      records: [{ value: pulumi.output(wanted.value).apply(nameValue) }],
      ttl: wanted.ttl,
    },
    opts,
  );
}

/** With a dot at the end: without it, it would be a name within the zone. */
export function nameValue(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

function full(name: string, zone: string): string {
  return name === "@" ? zone : `${name}.${zone}`;
}

function relative(name: string, zone: string): string {
  return name === zone ? "@" : name.slice(0, -zone.length - 1);
}
