import * as pulumi from "@pulumi/pulumi";
import type { Migration, Storage } from "../config";
import type { Bucket } from "./bucket";

/** A bucket whose every value is known. */
export type KnownBucket = { [K in keyof Bucket]: pulumi.Unwrap<Bucket[K]> };

/** Stores known by their endpoint's host that Mastodon has to be told more about. */
const quirks: [host: RegExp, env: Record<string, string>][] = [
  // Both answer multipart uploads of single requests with an error (Mastodon's own documentation).
  [/(^|\.)(wasabisys\.com|exo\.io)$/, { S3_FORCE_SINGLE_REQUEST: "true" }],
  // In bytes, whatever the documentation says: Google refuses the smaller parts of the default.
  [/(^|\.)storage\.googleapis\.com$/, { S3_MULTIPART_THRESHOLD: "52428800" }],
];

/**
 * The variables by which Mastodon writes to the bucket and builds URLs of the media host; no others are
 * touched. Pure.
 */
export function mastodonEnv(bucket: KnownBucket, mediaHost: string): Record<string, string> {
  const host = bucket.endpoint.replace(/^https:\/\//, "");
  return {
    S3_ENABLED: "true",
    S3_BUCKET: bucket.name,
    S3_REGION: bucket.region,
    AWS_ACCESS_KEY_ID: bucket.accessKey,
    AWS_SECRET_ACCESS_KEY: bucket.secretKey,
    S3_PROTOCOL: "https",
    S3_ALIAS_HOST: mediaHost,
    // Empty it means "send none", which is another thing than leaving it out.
    S3_PERMISSION: bucket.permission,
    ...(bucket.endpoint && { S3_ENDPOINT: bucket.endpoint, S3_HOSTNAME: host, ...elsewhere }),
    ...(bucket.endpoint && !bucket.pathStyle && { S3_OVERRIDE_PATH_STYLE: "true" }),
    ...Object.assign({}, ...quirks.filter(([h]) => h.test(host.replace(/:\d+$/, ""))).map(([, env]) => env)),
  };
}

/** The SDK of Mastodon 4.4.16, 4.5.9 and 4.6 sends checksums that stores other than AWS may refuse. */
const elsewhere = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};

/** What every storage step is told besides the facts. */
export function storageSettings(
  bucket: Bucket,
  storage: Storage,
  { copyRateMiB }: Pick<Migration, "copyRateMiB">,
): Record<string, pulumi.Input<string>> {
  const yes = (b: boolean) => (b ? "yes" : "no");
  return {
    STORE: bucket.store,
    BUCKET: bucket.name,
    ENDPOINT: bucket.endpoint,
    REGION: bucket.region,
    PATH_STYLE: yes(bucket.pathStyle),
    ACCESS_KEY: bucket.accessKey,
    SECRET_KEY: bucket.secretKey,
    PERMISSION: bucket.permission,
    OBJECT_ACL: yes(bucket.objectAcl),
    PUBLIC_URL: bucket.publicUrl,
    MEDIA_HOST: storage.host,
    MEDIA_CDN: storage.cdn.kind,
    CACHE: yes(storage.cache),
    PRUNE_DAYS: String(storage.pruneDays),
    PRUNE_CARD_DAYS: String(storage.pruneCardDays),
    RATE_MIB: String(copyRateMiB),
    SAMPLE: String(storage.sample),
    KEEP_LOCAL: yes(storage.keepLocal),
    STORAGE_ENV: known(bucket).apply((b) => lines(mastodonEnv(b, storage.host))),
  };
}

/** The bucket's values, once they are known, without the resource that they may be a part of. */
function known(bucket: Bucket): pulumi.Output<KnownBucket> {
  const { store, name, pathStyle, objectAcl, permission } = bucket;
  const { endpoint, region, accessKey, secretKey, publicUrl } = bucket;
  return pulumi
    .all([endpoint, region, accessKey, secretKey, publicUrl])
    .apply(([endpoint, region, accessKey, secretKey, publicUrl]) => ({
      ...{ store, name, pathStyle, objectAcl, permission },
      ...{ endpoint, region, accessKey, secretKey, publicUrl },
    }));
}

/** NAME=value, a line each: no value has a line end, which the configuration and the stores see to. */
function lines(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}
