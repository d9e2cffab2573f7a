import type { Config } from "./config";

/** The address of a file: a bucket's alias, else its host with the bucket's name, else this site or its CDN. */
export function fileUrl(config: Config, key: string): string {
  const { env } = config;
  if (env.S3_ENABLED !== "true") return `${config.mediaUrl}/${key}`;
  const protocol = env.S3_PROTOCOL ?? "https";
  const start = protocol ? `${protocol}://` : "//";
  const path = env.S3_KEY_PREFIX === undefined ? key : `${env.S3_KEY_PREFIX}/${key}`;
  const alias = env.S3_ALIAS_HOST ?? env.S3_CLOUDFRONT_HOST;
  if (alias !== undefined) return `${start}${alias}/${path}`;
  const host = env.S3_HOSTNAME ?? `s3-${env.S3_REGION ?? "us-east-1"}.amazonaws.com`;
  return `${start}${host}/${bucketName(env)}/${path}`;
}

/** The bucket's name; its lack is noticed at the first use, not at the start. */
export function bucketName(env: Config["env"]): string {
  if (!env.S3_BUCKET) throw new Error("missing required :bucket option");
  return env.S3_BUCKET;
}
