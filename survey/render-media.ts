/** What the preview says of the media's way: what is made at the store, under which name, and what that costs. */
import type { Storage } from "../config";
import type { Seen } from "./finding";
import { type Cost, usd } from "./storage-estimates";

const ours = "made by this stack, never deleted by it; no stranger can list it";
const single = "each file is public or private by its own ACL";
const whole = "without ACLs, so private files stay on the disk";

const buckets: Record<Storage["store"], (s: Storage) => string> = {
  s3: (s) => `at AWS S3, ${s.region}: ${ours}, and ${single}`,
  r2: (s) => `at Cloudflare R2${s.region && `, ${s.region}`}: ${ours}; ${whole}`,
  b2: () => `at Backblaze B2: ${ours}; public as a whole, ${whole}`,
  other: (s) => `at ${s.endpoint}: yours, and left as it is; ${s.objectAcl ? single : whole}`,
};

const alone = "reads, writes, deletes and lists in this bucket, and nothing else";

const keys: Record<Storage["store"], (s: Storage) => string> = {
  s3: (s) => `of the IAM user mastodon-${s.bucket}, made by this stack: ${alone}`,
  r2: () => `an account token, made by this stack: ${alone}`,
  b2: (s) => `the application key mastodon-${s.bucket}, made by this stack: ${alone}`,
  other: (s) => `yours, ${s.accessKey}`,
};

const hosts: Record<Storage["cdn"]["kind"], (s: Storage) => string> = {
  cloudfront: () => "CloudFront, with a certificate of its own that a record proves",
  r2: () => "the bucket's own domain: Cloudflare makes its record and its certificate",
  bunny: () => "a pull zone at bunny.net, with a certificate of its own",
  nginx: () => "this server's nginx, as a cache before the bucket",
  given: (s) => `${s.cdn.host}, which is yours`,
};

/** Rows of the preview's table about the media; `cost` is left out where they have moved. */
export function mediaRows({ migration, storageAt, mediaRecords }: Seen, cost?: Cost): string[][] {
  const { storage, dns } = migration;
  if (!storage) return [];
  const { store, bucket, cdn, host, phase } = storage;
  const record = () => {
    if (cdn.kind === "r2") return "";
    if (dns.provider === "none") return "; you make its record, mediaRecord of the outputs says which";
    const there = mediaRecords.some((r) => r.type !== "CNAME" && r.values.length);
    return there ? "; its records stay as they are" : `; its CNAME goes into ${dns.zone}`;
  };
  return [
    ["bucket", `${bucket} ${buckets[store](storage)}`],
    ["the app's key", keys[store](storage)],
    ["media host", `${host} by ${hosts[cdn.kind](storage)}${record()}`],
    ["stand at", `${storageAt}, go to ${phase}`],
    ...(cost ? costRows(cost) : []),
  ];
}

function costRows({ requests, once, monthly, note }: Cost): string[][] {
  const copy = `${requests} requests`;
  if (once === undefined || monthly === undefined) return [["to copy", `${copy}: ${note}`]];
  return [
    ["to copy", `${usd(once)} for ${copy}`],
    ["then", `${usd(monthly)} a month, as much as is stored now`],
    ["prices", note],
  ];
}
