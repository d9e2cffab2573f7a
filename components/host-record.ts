import * as pulumi from "@pulumi/pulumi";
import type { Migration } from "../config";
import type { DnsRecord } from "../survey/records";
import { forProvider } from "./dns";

export interface HostRecordArgs {
  dns: Migration["dns"];
  host: string;
  /** Where its CNAME points. */
  target: pulumi.Input<string>;
  /** Its records as they are now. */
  found: DnsRecord[];
  /** A record that is there is adopted as it is; what it says follows in the run after this one. */
  adopting: boolean;
  /** Ids of records that were there before this stack. */
  foundRecords: string[];
}

/**
 * The CNAME of a host: one record, adopted if it is there and made if not. None where the host has addresses of
 * its own: those move with the instance's.
 */
export function hostRecord(
  name: string,
  { dns, host, target, found, adopting, foundRecords }: HostRecordArgs,
  opts: { parent: pulumi.Resource; dependsOn: Promise<pulumi.Resource[]> },
): pulumi.CustomResource[] {
  if (dns.provider === "none" || found.some((r) => r.type !== "CNAME")) return [];
  const provider = forProvider(dns.provider);
  const options = { ...opts, retainOnDelete: true };
  const value = pulumi.output(target).apply(provider.nameValue);
  const [there] = found;
  if (!there)
    return [provider.makeNew(name, { name: host, type: "CNAME", value, ttl: dns.ttl }, dns.zone, options)];
  const wanted = adopting ? there : value.apply((v) => ({ ...there, values: [v] }));
  // What is adopted already, the engine leaves at that; where the state was lost it is adopted anew, never made beside.
  const id = foundRecords.includes(there.id) ? there.id : undefined;
  return [provider.make(name, wanted, there, dns.zone, { ...options, import: id })];
}

/** A CNAME that nobody had before, such as a certificate's proof. */
export function newRecord(
  name: string,
  { dns, ...record }: { dns: Migration["dns"]; name: pulumi.Input<string>; value: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  if (dns.provider === "none") throw new Error(`${name}: nobody serves the zone; config.ts refuses that`);
  const options = { ...opts, retainOnDelete: true };
  return forProvider(dns.provider).makeNew(
    name,
    { ...record, type: "CNAME", ttl: dns.ttl },
    dns.zone,
    options,
  );
}
