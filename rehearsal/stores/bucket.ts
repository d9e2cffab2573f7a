/** What a store knows about a bucket and a key, besides the objects. */

/** What a key may do in its bucket. */
export type Right = "put" | "acl" | "get" | "delete" | "list" | "configure";

export const allRights: Right[] = ["put", "acl", "get", "delete", "list", "configure"];

export interface CorsRule {
  origins: string[];
  methods: string[];
  headers?: string[];
  exposeHeaders?: string[];
  maxAgeSeconds?: number;
}

export interface BucketSettings {
  /**
   * What decides who may read an object without a signature: its own ACL, its bucket, or nothing at all.
   * @default as a new bucket of that store: other "object", s3 "none" (the owner enforced), b2 "bucket", r2 "none"
   */
  acl: "object" | "bucket" | "none";
  /** Everyone may read every object (a bucket policy, or B2's allPublic). @default false */
  publicRead: boolean;
  /** AWS's Block Public Access for ACLs: an upload with a public one is refused. @default s3 true, else false */
  blockPublicAcls: boolean;
  /** Older versions stay behind. @default b2 true, else false */
  versions: boolean;
  /** @default none */
  cors: CorsRule[];
}

const actions: Record<Right, { object: string[]; bucket: string[] }> = {
  put: { object: ["PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"], bucket: [] },
  acl: { object: ["PutObjectAcl", "GetObjectAcl"], bucket: [] },
  get: { object: ["GetObject"], bucket: [] },
  delete: { object: ["DeleteObject"], bucket: [] },
  list: { object: [], bucket: ["ListBucket", "ListBucketMultipartUploads"] },
  configure: {
    object: [],
    bucket: ["PutBucketCORS", "GetBucketCORS", "PutLifecycleConfiguration", "GetLifecycleConfiguration"],
  },
};

/** The policy that gives each key its rights, as the S3 server below is told. */
export function policy(bucket: string, keys: { accessKey: string; rights: Right[] }[]): string {
  const arn = `arn:aws:s3:::${bucket}`;
  const allow = (Principal: unknown, names: string[], Resource: string) => ({
    Effect: "Allow",
    Principal,
    Action: names.map((name) => `s3:${name}`),
    Resource,
  });
  const of = ({ accessKey, rights }: { accessKey: string; rights: Right[] }) =>
    (["object", "bucket"] as const).flatMap((level) => {
      const names = rights.flatMap((right) => actions[right][level]);
      const resource = level === "object" ? `${arn}/*` : arn;
      return names.length ? [allow({ AWS: [accessKey] }, names, resource)] : [];
    });
  // Who comes without a signature was let in, or not, before (gate.ts).
  const everyone = allow("*", ["GetObject"], `${arn}/*`);
  return JSON.stringify({ Version: "2012-10-17", Statement: [everyone, ...keys.flatMap(of)] });
}

export function corsXml(rules: CorsRule[]): string {
  const list = (tag: string, values: (string | number)[] = []) =>
    values.map((v) => `<${tag}>${v}</${tag}>`).join("");
  const rule = (r: CorsRule) =>
    `<CORSRule>${list("AllowedOrigin", r.origins)}${list("AllowedMethod", r.methods)}${list("AllowedHeader", r.headers)}` +
    `${list("ExposeHeader", r.exposeHeaders)}${list("MaxAgeSeconds", r.maxAgeSeconds === undefined ? [] : [r.maxAgeSeconds])}</CORSRule>`;
  return `<CORSConfiguration>${rules.map(rule).join("")}</CORSConfiguration>`;
}
