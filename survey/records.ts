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

/** The names that move. */
export function namesOf(configured: string[], web: string): string[] {
  return configured.length ? configured : web ? [web] : [];
}
