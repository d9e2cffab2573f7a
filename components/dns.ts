import * as pulumi from "@pulumi/pulumi";
import type { Migration } from "../config";
import { wanted } from "../survey/phase";
import type { DnsRecord } from "../survey/records";
import { later, type Link } from "./chain";
import { lookUp as lookUpAnywhere } from "./dns-none";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface DnsArgs {
  stage: Stage;
  dns: Migration["dns"];
  /** The records as they are now. */
  found: DnsRecord[];
  /** The records as they were when the migration began. */
  original: pulumi.Input<DnsRecord[]>;
  /** The source's address. */
  source: string;
  target: { address: pulumi.Input<string>; ipv6: pulumi.Input<string> };
}

/** Whether the world sees by a record where it leads: what a CDN answers for shows the CDN's own addresses, before and after. */
function visible(now: DnsRecord, first: DnsRecord, { dns, source }: DnsArgs): boolean {
  if (now.proxied) return false;
  return dns.provider !== "none" || now.type !== "A" || !first.values.length || first.values.includes(source);
}

/**
 * The A and AAAA records of the instance, adopted and never made. Pulumi adopts a record only as it is; so
 * the run that adopts changes nothing, and content and TTL follow the phase from the run after it on.
 */
export class Dns extends pulumi.ComponentResource implements Link {
  readonly resources: pulumi.CustomResource[];
  readonly wait: Step;
  /** Whether this run adopts. */
  readonly adopting: boolean;
  private readonly before = later();

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Dns", name, {}, opts);
    const { stage, dns } = args;
    const moving = args.found.filter((r) => r.type !== "CNAME");
    this.adopting = dns.provider !== "none" && stage.at === "survey";
    const { provider } = dns;
    this.resources =
      provider === "none" ? [] : moving.map((r) => this.adopt(name, r, forProvider(provider), args));
    const lines = (value: (first: DnsRecord, goal: string) => string) =>
      pulumi.all([args.original, args.target.address, args.target.ipv6]).apply(([original, a, aaaa]) =>
        moving
          .map((r): [DnsRecord, DnsRecord] => [
            r,
            original.find((o) => o.name === r.name && o.type === r.type) ?? r,
          ])
          .filter(([r, first]) => visible(r, first, args))
          .map(([r, first]) => `${r.name} ${r.type} ${value(first, r.type === "A" ? a : aaaa)}`)
          .join("\n"),
      );
    const settings = {
      RECORDS: lines((_, goal) => goal),
      BEFORE: lines((first) => first.values[0] ?? args.source),
      DNS_BY_HAND: dns.provider === "none" ? "yes" : "no",
    };
    this.wait = new Step("dns/wait", { stage, held: this.adopting, settings }, { parent: this });
    this.registerOutputs({});
  }

  follow(before: pulumi.Resource[]): void {
    this.before.settle(before);
  }

  private adopt(name: string, record: DnsRecord, provider: Zones, args: DnsArgs): pulumi.CustomResource {
    return provider.make(
      `${name}-${record.name}-${record.type}`,
      this.adopting
        ? record
        : pulumi.all([args.original, args.target.address, args.target.ipv6]).apply(([original, a, aaaa]) => {
            const first = original.find((o) => o.name === record.name && o.type === record.type) ?? record;
            return follow(first, args.stage, args.dns.ttl, record.type === "A" ? a : aaaa);
          }),
      record,
      args.dns.zone,
      {
        parent: this,
        dependsOn: this.before.promise,
        // In the state already, it stays; where the state was lost it is adopted anew, never made beside.
        import: record.id,
        // It was there before this stack, and stays when the stack goes.
        retainOnDelete: true,
      },
    );
  }
}

/** A record as a phase wants it. */
export function follow(
  original: DnsRecord,
  stage: Pick<Stage, "phase">,
  ttl: number,
  target: string,
): DnsRecord {
  const lowered = wanted(stage.phase, "prepare", "retire") && !original.proxied;
  return {
    ...original,
    values: wanted(stage.phase, "switch") ? [target] : original.values,
    ttl: lowered ? ttl : original.ttl,
  };
}

/** The records of the moving names as they are now. */
export async function lookUpRecords(dns: Migration["dns"], names: string[]): Promise<DnsRecord[]> {
  const { provider, zone } = dns;
  if (!names.length) return [];
  return provider === "none" ? lookUpAnywhere(names) : forProvider(provider).lookUp(zone, names);
}

type Zones = typeof import("./dns-cloudflare") | typeof import("./dns-hetzner");

/** A provider's file is loaded only where it is used, so that nobody needs the plugins of the others. */
export function forProvider(provider: Exclude<Migration["dns"]["provider"], "none">): Zones {
  return provider === "cloudflare" ? require("./dns-cloudflare") : require("./dns-hetzner");
}
