import type { Migration } from "./config";
import { type Cdn, readCdn } from "./config-cdn";
import { isName, type Keys } from "./keys";
import type { Phase } from "./survey/phase";

export const stores = ["s3", "r2", "b2", "other"] as const;
export type Store = (typeof stores)[number];

/** Media in a bucket: what the admin asked for, checked, with every default filled in. */
export interface Storage {
  store: Store;
  /** How far the media go; the server's move has a phase of its own. */
  phase: Phase;
  bucket: string;
  /** The name that media are served under, for ever. */
  host: string;
  /** "" where the store itself says it (b2), a location or jurisdiction at r2. */
  region: string;
  /** https://HOST of the S3 API, without the bucket. Only for store other. */
  endpoint: string;
  /** The app's key (other), or one that may make buckets and keys (b2). */
  accessKey: string;
  secretKey: string;
  /** Cloudflare's account id. Only for store r2. */
  account: string;
  /** Whether objects carry an ACL of their own, so that single ones can be private. */
  objectAcl: boolean;
  cdn: {
    kind: Cdn;
    /** Where the media host's CNAME points. Only for given. */
    host: string;
    /** Bunny's API key. Only for bunny. */
    key: string;
  };
  /** Whether cache/ is copied too. */
  cache: boolean;
  /** Remote media older than so many days are dropped before the copy; 0: none are. */
  pruneDays: number;
  pruneCardDays: number;
  /** How old the announcement of the media host has to be before the switch. */
  leadDays: number;
  keepLocal: boolean;
  /** At most so many objects are compared byte by byte. */
  sample: number;
}

/** Undefined where the media stay where they are. */
export function readStorage(c: Keys, m: Pick<Migration, "phase" | "target" | "dns">): Storage | undefined {
  const { dns } = m;
  const text = c.text("mediaStore");
  const store = stores.find((s) => s === text);
  if (!store) {
    if (text) c.problem("mediaStore", text, "s3, r2, b2 or other; or take it out to leave the media alone");
    else c.allUnused(onlyForStores, "is for media in a bucket, but mediaStore is not set");
    return undefined;
  }
  const bucket = readBucket(c, store);
  return {
    ...{ store, bucket, phase: readPhase(c, m.phase, m.target.provider === "none"), host: readHost(c, dns) },
    ...{ region: readRegion(c, store), endpoint: readEndpoint(c, store, bucket), ...readKeys(c, store) },
    account: readAccount(c, store),
    objectAcl: readAcl(c, store),
    cdn: readCdn(c, store, dns),
    cache: c.flag("mediaCache", true),
    pruneDays: c.whole("mediaPruneDays", 0, 0, 3650),
    pruneCardDays: c.whole("mediaPruneCardDays", 0, 0, 3650),
    leadDays: c.whole("mediaLeadDays", 0, 0, 90),
    keepLocal: c.flag("mediaKeepLocal", true),
    sample: c.whole("mediaSample", 10_000, 1, 100_000_000),
  };
}

type Dns = Migration["dns"];

/** With the defaults that Pulumi.yaml gives them. */
const onlyForStores: Record<string, string> = {
  ...{ mediaPhase: "", mediaBucket: "", mediaHost: "", mediaRegion: "", mediaEndpoint: "" },
  ...{ mediaAccessKey: "", mediaSecretKey: "", cloudflareAccountId: "" },
  ...{ mediaCdn: "", mediaCdnHost: "", bunnyApiKey: "" },
  ...{ mediaAcl: "true", mediaCache: "true", mediaKeepLocal: "true" },
  ...{ mediaPruneDays: "0", mediaPruneCardDays: "0", mediaLeadDays: "0", mediaSample: "10000" },
};

function readPhase(c: Keys, phase: Phase, alone: boolean): Phase {
  return c.phase("mediaPhase", alone || phase === "survey" ? phase : "settle");
}

/** What each store's API refuses; all of them serve a bucket as a part of a host name, or of a path. */
function readBucket(c: Keys, store: Store): string {
  const name = c.text("mediaBucket");
  const wrong = wrongBucket(store, name);
  if (wrong) c.problem("mediaBucket", name, wrong);
  return name;
}

function wrongBucket(store: Store, name: string): string | undefined {
  const least = store === "b2" ? 6 : 3;
  if (name.length < least || name.length > 63)
    return `a bucket name of ${least} to 63 characters, like social-example-media`;
  if (store !== "other" && name.includes("."))
    return "a bucket name without dots: the certificates of the store's own host names end at one";
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) || name.includes(".."))
    return "a bucket name of lowercase letters, digits and hyphens that begins and ends with a letter or a digit";
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return "a bucket name that is no IP address";
  const taken = reserved[store].find((r) => (r.startsWith("-") ? name.endsWith(r) : name.startsWith(r)));
  return taken && `a bucket name without ${taken}: the store keeps that for itself`;
}

/** Prefixes, and suffixes (with a leading hyphen). AWS: S3 user guide, "General purpose bucket naming rules". */
const reserved: Record<Store, string[]> = {
  s3: ["xn--", "sthree-", "amzn-s3-demo-", "-s3alias", "--ol-s3", "--x-s3", "--table-s3"],
  r2: [],
  b2: ["b2-"],
  other: [],
};

function readHost(c: Keys, { provider, zone }: Dns): string {
  const host = c.name("mediaHost", "the name that media will be served under, like media.social.example");
  if (!isName(host)) return host;
  if (host === c.text("domain").toLowerCase() || c.list("dnsNames").includes(host))
    c.problem("mediaHost", host, "a name of its own, like media.social.example: this one is the instance's");
  if (provider !== "none" && zone && !host.endsWith(`.${zone}`))
    c.problem("mediaHost", host, `a name inside the zone ${zone}, where its record is made`);
  return host;
}

const r2Regions = ["apac", "eeur", "enam", "weur", "wnam", "oc", "eu", "fedramp"];

function readRegion(c: Keys, store: Store): string {
  const region = c.text("mediaRegion");
  if (store === "b2")
    c.unused("mediaRegion", "has no use for mediaStore b2, where the account has its region");
  else if (store === "s3" && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
    c.problem("mediaRegion", region, "the bucket's region at AWS, like eu-central-1");
  else if (store === "r2" && region && !r2Regions.includes(region))
    c.problem("mediaRegion", region, `a location (${r2Regions.join(", ")}), or nothing for the nearest`);
  else if (store === "other" && !/^[A-Za-z0-9-]*$/.test(region))
    c.problem("mediaRegion", region, "the region that the store's S3 API wants, like us-east-1");
  return store === "other" ? region || "us-east-1" : region;
}

function readEndpoint(c: Keys, store: Store, bucket: string): string {
  if (store !== "other") {
    c.unused("mediaEndpoint", `is for mediaStore other: ${store} has its own`);
    return "";
  }
  const text = c.text("mediaEndpoint");
  const [, host = "", path = ""] = /^https:\/\/([^/]+)(\/.*)?$/.exec(text) ?? [];
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 443);
  const like = "the https URL of the store's S3 API, like https://s3.example.com";
  if (bucket && (name.startsWith(`${bucket}.`) || path.split("/").includes(bucket)))
    c.problem("mediaEndpoint", text, `${like}, without the bucket: Mastodon puts ${bucket} there itself`);
  else if (!isName(name) || (path && path !== "/")) c.problem("mediaEndpoint", text, like);
  else if (port < 1 || port > 65_535)
    c.problem("mediaEndpoint", text, `${like}, with a port from 1 to 65535 if it is not 443`);
  return `https://${host}`;
}

/** Who makes the app's key: the program at s3, r2 and b2 (with a key that may), the admin elsewhere. */
function readKeys(c: Keys, store: Store): { accessKey: string; secretKey: string } {
  if (store === "s3" || store === "r2") {
    const own = store === "s3" ? "aws:accessKey and aws:secretKey" : "cloudflare:apiToken";
    for (const key of ["mediaAccessKey", "mediaSecretKey"])
      c.unused(key, `has no use for mediaStore ${store}: the program makes the app's key, with ${own}`);
    return { accessKey: "", secretKey: "" };
  }
  const [accessKey, secretKey] = [c.text("mediaAccessKey"), c.text("mediaSecretKey")];
  const whose = store === "b2" ? "a key of the account that may make buckets and keys" : "the app's key";
  if (!/^\S+$/.test(accessKey) || (store === "b2" && !/^[0-9a-f]{12,25}$/i.test(accessKey)))
    c.problem(
      "mediaAccessKey",
      accessKey,
      `the id of ${whose}${store === "b2" ? ", 12 or 25 hex digits" : ""}`,
    );
  if (!/^\S+$/.test(secretKey))
    c.problems.push(
      `mediaSecretKey is ${secretKey ? "no key: there is a blank in it" : "not set"}; write the secret of ${whose}: pulumi config set --secret mediaSecretKey`,
    );
  return { accessKey, secretKey };
}

function readAccount(c: Keys, store: Store): string {
  if (store !== "r2") c.unused("cloudflareAccountId", "is for mediaStore r2");
  const account = c.text("cloudflareAccountId");
  if (store === "r2" && !/^[0-9a-f]{32}$/.test(account))
    c.problem("cloudflareAccountId", account, "the account's id, 32 hex digits from the dashboard's address");
  return account;
}

/** Known of three stores; of any other the admin has to say it where it is not so. */
function readAcl(c: Keys, store: Store): boolean {
  const acl = c.flag("mediaAcl", true);
  if (store !== "other") c.unused("mediaAcl", `is for mediaStore other: what ${store} does is known`, "true");
  return store === "other" ? acl : store === "s3";
}
