/** In what the stores differ from plain S3: what each of them refuses, in its own words. */
import type { IncomingHttpHeaders } from "node:http";
import type { BucketSettings, Right } from "./bucket";
import type { StoreKind } from "./names";

export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** How a new bucket of each store is set. */
export const newBucket: Record<StoreKind, BucketSettings> = {
  other: { acl: "object", publicRead: false, blockPublicAcls: false, versions: false, cors: [] },
  s3: { acl: "none", publicRead: false, blockPublicAcls: true, versions: false, cors: [] },
  r2: { acl: "none", publicRead: false, blockPublicAcls: false, versions: false, cors: [] },
  b2: { acl: "bucket", publicRead: false, blockPublicAcls: false, versions: true, cors: [] },
};

export interface Call {
  method: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  settings: BucketSettings;
  /** Rights of the key that signed it; all of them for the owner. */
  rights: Right[];
}

/** Why a store does not take a signed call that plain S3 would take, if so. */
export function refuse(kind: StoreKind, call: Call): Refusal | undefined {
  return { other: () => undefined, s3: refuseAws, r2: refuseR2, b2: refuseB2 }[kind](call);
}

const writesAcl = (c: Call) => c.method === "PUT" && c.query.has("acl");
const acl = (c: Call) => c.headers["x-amz-acl"] as string | undefined;

function refuseAws(c: Call): Refusal | undefined {
  const given = acl(c);
  if (!given && !writesAcl(c)) return undefined;
  if (!c.rights.includes("acl")) return denied;
  if (c.settings.acl !== "object" && given !== "bucket-owner-full-control")
    return {
      status: 400,
      code: "AccessControlListNotSupported",
      message: "The bucket does not allow ACLs",
    };
  return c.settings.blockPublicAcls && given?.startsWith("public") ? denied : undefined;
}

/** https://developers.cloudflare.com/r2/api/s3/api/ (ACLs, checksums in trailers) */
function refuseR2(c: Call): Refusal | undefined {
  const no = (name: string, value: string) => ({
    status: 501,
    code: "NotImplemented",
    message: `Header '${name}' with value '${value}' not implemented`,
  });
  if (c.query.has("acl"))
    return { status: 501, code: "NotImplemented", message: "PutObjectAcl not implemented" };
  const given = acl(c);
  if (given && given !== "private") return no("x-amz-acl", given);
  const payload = c.headers["x-amz-content-sha256"];
  if (typeof payload === "string" && payload.endsWith("-TRAILER")) return no("x-amz-content-sha256", payload);
  const algorithm = c.headers["x-amz-sdk-checksum-algorithm"];
  return algorithm ? no("x-amz-sdk-checksum-algorithm", String(algorithm)) : undefined;
}

/** https://www.backblaze.com/docs/cloud-storage-s3-compatible-api (canned ACLs, unsupported headers) */
function refuseB2(c: Call): Refusal | undefined {
  const unknown = Object.keys(c.headers).find((name) => /^x-amz-(sdk-)?checksum-/.test(name));
  if (unknown)
    return {
      status: 400,
      code: "InvalidArgument",
      message: `Unsupported header '${unknown}' received for this API call.`,
    };
  const given = acl(c);
  const bucketIs = c.settings.publicRead ? "public-read" : "private";
  if (!given || given === bucketIs) return undefined;
  return { status: 400, code: "InvalidArgument", message: `Unsupported value for canned acl '${given}'` };
}

export const denied: Refusal = { status: 403, code: "AccessDenied", message: "Access Denied" };

/** What who comes without a signature is told where nothing may be read. */
export const anonymous: Record<StoreKind, Refusal> = {
  other: denied,
  s3: denied,
  r2: { status: 400, code: "InvalidArgument", message: "Authorization" },
  b2: { status: 401, code: "UnauthorizedAccess", message: "bucket is not authorized" },
};
