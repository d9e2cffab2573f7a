import type { Input } from "@pulumi/pulumi";
import type { Storage } from "../config";

/** One record set of the zone as it is: a name's A, AAAA or CNAME. */
export interface DnsRecord {
  /** Full name without a trailing dot. */
  name: string;
  type: "A" | "AAAA" | "CNAME";
  values: string[];
  /** Seconds; 0 is the zone's default, 1 at Cloudflare automatic. */
  ttl: number;
  /** Cloudflare answers with its own addresses. */
  proxied: boolean;
  /** What `import` takes to adopt it; empty where nobody adopts. */
  id: string;
  /** Comments, tags and labels, which have to stay as they are. */
  extra: { comment?: string; tags?: string[]; labels?: Record<string, string> };
}

/**
 * The records as they were before the switch, as far as that can still be told where nobody wrote it down: what points to
 * the target pointed to the source.
 *
 * @param source the source's addresses
 */
export function asBefore(records: DnsRecord[], source: { ipv4: string; ipv6?: string }): DnsRecord[] {
  return records.map((r) => {
    const address = r.type === "A" ? source.ipv4 : r.type === "AAAA" ? source.ipv6 : undefined;
    return address ? { ...r, values: [address] } : r;
  });
}

/** A record to be made: one value. */
export interface NewRecord {
  /** Full name. */
  name: Input<string>;
  type: "CNAME";
  value: Input<string>;
  /** Seconds. */
  ttl: number;
}

/**
 * The names that move: the instance's, and a media host that its own nginx serves, where it has addresses of
 * its own.
 */
export function namesOf(
  configured: string[],
  web: string,
  storage?: Storage,
  media: DnsRecord[] = [],
): string[] {
  const moving = storage?.cdn.kind === "nginx" && media.some((r) => r.type !== "CNAME" && r.values.length);
  return [...(configured.length ? configured : web ? [web] : []), ...(moving ? [storage.host] : [])];
}

/**
 * The records that move: those that were named, else the web domain's, and those of the instance's other names that
 * lead to one of its servers.
 */
export function moving(found: DnsRecord[], asked: string[], servers: string[]): DnsRecord[] {
  const leads = (name: string) =>
    found.some((r) => r.name === name && r.type === "A" && r.values.some((v) => servers.includes(v)));
  return found.filter((r) => asked.includes(r.name) || leads(r.name));
}
