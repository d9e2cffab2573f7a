import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import type { DnsRecord, NewRecord } from "../survey/records";

const types = ["A", "AAAA", "CNAME"];

/** The A, AAAA and CNAME records of the names, as the zone has them. */
export async function lookUp(zone: string, names: string[]): Promise<DnsRecord[]> {
  const { zoneId } = await cloudflare.getZone({ filter: { name: zone } });
  const lists = await Promise.all(
    names.map((exact) => cloudflare.getDnsRecords({ zoneId, name: { exact } })),
  );
  const sets = lists.flatMap((l) => l.results).filter((r) => types.includes(r.type));
  return sets.map((r) => ({
    name: r.name,
    type: r.type as DnsRecord["type"],
    values: [r.content],
    ttl: r.ttl,
    proxied: r.proxied,
    id: `${zoneId}/${r.id}`,
    extra: { comment: r.comment || undefined, tags: r.tags?.length ? r.tags : undefined },
  }));
}

export function make(
  name: string,
  wanted: pulumi.Input<DnsRecord>,
  found: DnsRecord,
  _zone: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const w = pulumi.output(wanted);
  return new cloudflare.DnsRecord(
    name,
    {
      zoneId: found.id.split("/")[0] ?? "",
      name: found.name,
      type: found.type,
      content: w.apply((r) => r.values[0] ?? ""),
      ttl: w.apply((r) => r.ttl),
      proxied: found.proxied,
      comment: found.extra.comment,
      tags: found.extra.tags,
    },
    opts,
  );
}

/** A record that is not there yet. */
export function makeNew(
  name: string,
  wanted: NewRecord,
  zone: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  return new cloudflare.DnsRecord(
    name,
    {
      zoneId: cloudflare.getZoneOutput({ filter: { name: zone } }, { parent: opts.parent }).zoneId,
      name: pulumi.output(wanted.name).apply(nameValue),
      type: wanted.type,
      content: pulumi.output(wanted.value).apply(nameValue),
      ttl: wanted.ttl,
      proxied: false,
    },
    opts,
  );
}

/** Without the dot at the end, which would show as a change in every run. */
export function nameValue(name: string): string {
  return name.replace(/\.$/, "");
}
