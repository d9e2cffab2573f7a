import type { Migration } from "./config";
import type { Storage, Store } from "./config-storage";
import { isName, type Keys } from "./keys";

const cdns = ["nginx", "cloudfront", "r2", "bunny", "given"] as const;
export type Cdn = (typeof cdns)[number];

const cdnOf: Record<Store, Cdn[]> = {
  s3: ["cloudfront", "nginx", "bunny", "given"],
  r2: ["r2", "given"],
  b2: ["nginx", "bunny", "given"],
  other: ["nginx", "bunny", "given"],
};

/** What serves the media host, checked against the store and against who serves the zone. */
export function readCdn(c: Keys, store: Store, dns: Migration["dns"]): Storage["cdn"] {
  const fitting = cdnOf[store];
  const kind = c.oneOf("mediaCdn", cdns, fitting[0] ?? "given");
  if (!fitting.includes(kind))
    c.problem(
      "mediaCdn",
      kind,
      `${fitting.join(" or ")}: ${unfit[kind] ?? `${kind} does not go with mediaStore ${store}`}`,
    );
  if (kind === "r2" && dns.provider !== "cloudflare")
    c.problem("dnsProvider", dns.provider, "cloudflare: a bucket's own domain has to be in a zone there");
  if ((kind === "cloudfront" || kind === "bunny") && dns.provider === "none")
    c.problem(
      "dnsProvider",
      "none",
      `cloudflare or hetzner: ${kind} gets its certificate by a record in the zone; or set mediaCdn to given`,
    );
  return { kind, host: readCdnHost(c, kind), key: readBunnyKey(c, kind) };
}

const unfit: Partial<Record<Cdn, string>> = {
  nginx: "nothing but its own domain serves a bucket at r2 to people",
  bunny: "nothing but its own domain serves a bucket at r2 to people",
  cloudfront: "cloudfront is for a bucket at s3",
  r2: "r2's own domains are for buckets there",
};

function readCdnHost(c: Keys, kind: Cdn): string {
  if (kind !== "given") {
    c.unused("mediaCdnHost", `is for mediaCdn given, but it is ${kind}`);
    return "";
  }
  const host = c.name("mediaCdnHost", "the name that your CDN gave you, like example.b-cdn.net");
  if (isName(host) && host === c.text("mediaHost").toLowerCase())
    c.problem("mediaCdnHost", host, "another name than mediaHost, which will point to it");
  return host;
}

function readBunnyKey(c: Keys, kind: Cdn): string {
  if (kind !== "bunny") c.unused("bunnyApiKey", `is for mediaCdn bunny, but it is ${kind}`);
  const key = c.text("bunnyApiKey");
  if (kind === "bunny" && !/^\S{20,}$/.test(key))
    c.problems.push(
      `bunnyApiKey is ${key ? "no API key" : "not set"}; write the account's API key: pulumi config set --secret bunnyApiKey`,
    );
  return key;
}
