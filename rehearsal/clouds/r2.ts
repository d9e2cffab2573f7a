/**
 * The stand-in R2: buckets, their CORS and lifecycle, their own domains, and account tokens that are S3 keys. R2 has no
 * ACLs and no bucket policy; a bucket is only served to everyone under a domain in a zone of the same account.
 */
import { createHash, randomBytes } from "node:crypto";
import { books } from "./aws/things";
import type { Cloud } from "./lab";
import type { Failure, Function, Resource } from "./resource";
import { take, type Zone } from "./store";
import type { Props } from "./values";
import type { Right } from "../stores";

const LOCATIONS = ["apac", "eeur", "enam", "weur", "wnam", "oc"];
const GROUPS: Record<string, { id: string; rights: Right[] }> = {
  "Workers R2 Storage Bucket Item Read": { id: "6a018a9f2fc74eb6b293b0c548f38b39", rights: ["get", "list"] },
  "Workers R2 Storage Bucket Item Write": {
    id: "2efd5506f9c8494dacb1fa10a3e7d5b6",
    rights: ["put", "get", "delete", "list"],
  },
  "Workers R2 Storage Write": { id: "bf7481a1826f439697cb59a20b22293e", rights: [] },
};

function apiError(status: number, code: number, message: string): Error {
  return new Error(
    `failed to make http request: ${status} {"errors":[{"code":${code},"message":${JSON.stringify(message)}}]}`,
  );
}

function accountOf({ accountId }: Props): void {
  if (!/^[0-9a-f]{32}$/.test(String(accountId)))
    throw apiError(400, 7003, "Could not route to /accounts/, perhaps your object identifier is invalid?");
}

function bucket(cloud: Cloud): Resource {
  const buckets = books(cloud, "r2-bucket");
  return {
    required: ["accountId", "name"],
    optional: ["location", "jurisdiction", "storageClass"],
    computed: ["location", "jurisdiction", "storageClass"],
    replaceOn: ["accountId", "name", "jurisdiction", "location"],
    outputs: ["creationDate"],
    check({ name, location }): Failure[] {
      const failures: Failure[] = [];
      if (typeof name === "string" && !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
        failures.push({ property: "name", reason: `The specified bucket name is not valid: ${name}` });
      if (location !== undefined && !LOCATIONS.includes(String(location).toLowerCase()))
        failures.push({ property: "location", reason: `value must be one of ${LOCATIONS.join(", ")}` });
      return failures;
    },
    async create(inputs) {
      accountOf(inputs);
      const name = String(inputs["name"]);
      if (buckets.find(name))
        throw apiError(409, 10004, "The bucket you tried to create already exists, and you own it.");
      await cloud.stores.store("r2").makeBucket(name);
      buckets.add(name, inputs);
      return { id: name, outputs: { creationDate: new Date().toISOString() } };
    },
    async update() {},
    async delete(id) {
      await cloud.stores.store("r2").deleteBucket(id);
      buckets.remove(id);
    },
  };
}

function part(cloud: Cloud, kind: string, apply: (bucket: string, inputs: Props) => Promise<void>): Resource {
  const parts = books(cloud, kind);
  const put = async (inputs: Props): Promise<string> => {
    const name = String(inputs["bucketName"]);
    if (!books(cloud, "r2-bucket").find(name))
      throw apiError(404, 10006, "The specified bucket does not exist.");
    await apply(name, inputs);
    return name;
  };
  return {
    required: ["accountId", "bucketName"],
    optional: ["rules", "jurisdiction"],
    computed: ["jurisdiction"],
    replaceOn: ["accountId", "bucketName", "jurisdiction"],
    async create(inputs) {
      const id = await put(inputs);
      parts.remove(id);
      parts.add(id, inputs);
      return { id };
    },
    async update(_id, inputs) {
      await put(inputs);
    },
    async delete(id) {
      parts.remove(id);
    },
  };
}

const corsPart = (cloud: Cloud) =>
  part(cloud, "r2-cors", async (name, inputs) => {
    const rules = ((inputs["rules"] ?? []) as Props[]).map((r) => r["allowed"] as Record<string, string[]>);
    const cors = rules.map((a) => ({
      origins: a["origins"] ?? [],
      methods: a["methods"] ?? [],
      headers: a["headers"],
    }));
    await cloud.stores.store("r2").configure(name, { cors });
  });

function customDomain(cloud: Cloud): Resource {
  const domains = books(cloud, "r2-domain");
  return {
    required: ["accountId", "bucketName", "domain", "enabled", "zoneId"],
    optional: ["jurisdiction", "minTls", "ciphers"],
    computed: ["jurisdiction", "minTls"],
    replaceOn: ["accountId", "bucketName", "domain", "zoneId", "jurisdiction"],
    outputs: ["status", "zoneName"],
    async create(inputs) {
      const [domain, name] = [String(inputs["domain"]), String(inputs["bucketName"])];
      if (!books(cloud, "r2-bucket").find(name))
        throw apiError(404, 10006, "The specified bucket does not exist.");
      const zone = cloud.store.state.zones.find(
        (z) => z.provider === "cloudflare" && z.id === inputs["zoneId"],
      );
      if (!zone || !domain.endsWith(`.${zone.name}`))
        throw apiError(400, 10058, `zone not found for ${domain}`);
      if (zone.records.some((r) => r.name === domain))
        throw apiError(409, 10065, `A DNS record for ${domain} already exists`);
      addOwnRecord(cloud, zone, domain);
      domains.add(domain, inputs);
      await serve(cloud, inputs);
      return { id: domain, outputs: { zoneName: zone.name, status: { ownership: "active", ssl: "active" } } };
    },
    async update(_id, inputs) {
      await serve(cloud, inputs);
    },
    async delete(id) {
      domains.remove(id);
      cloud.stores.cdn.forget(id);
      cloud.store.change((s) =>
        s.zones.forEach((z) => take(z.records, (r) => r.name === id && r.comment === "R2")),
      );
    },
  };
}

/** Cloudflare serves the bucket itself: it may read everything, and keeps misses for as long as it likes. */
async function serve(cloud: Cloud, inputs: Props): Promise<void> {
  const origin = `${cloud.stores.store("r2").origin}/${String(inputs["bucketName"])}`;
  // https://developers.cloudflare.com/cache/how-to/configure-cache-status-code/: 404 for three minutes by default.
  await cloud.stores.cdn.serve([String(inputs["domain"])], {
    ...{ origin, keepSeconds: { 404: 180 } },
    headers: { "access-control-allow-origin": "*" },
  });
}

function addOwnRecord(cloud: Cloud, zone: Zone, name: string): void {
  const now = new Date().toISOString();
  const id = randomBytes(16).toString("hex");
  const seen = { type: "A", content: cloud.stores.cdn.address, ttl: 1, proxied: true, comment: "R2" };
  cloud.store.change(() => {
    zone.records.push({ id, name, ...seen, createdOn: now, modifiedOn: now });
    zone.serial++;
  });
}

function accountToken(cloud: Cloud): Resource {
  const tokens = books(cloud, "cloudflare-token");
  return {
    required: ["accountId", "name", "policies"],
    optional: ["condition", "expiresOn", "notBefore", "status"],
    computed: ["status"],
    outputs: ["value", "issuedOn", "modifiedOn"],
    secrets: ["value"],
    async create(inputs) {
      accountOf(inputs);
      const { bucket: name, rights } = granted(cloud, inputs);
      const accessKey = randomBytes(16).toString("hex");
      const value = randomBytes(30).toString("base64url");
      const secretKey = createHash("sha256").update(value).digest("hex");
      await cloud.stores.store("r2").makeKey({ bucket: name, rights, credentials: { accessKey, secretKey } });
      tokens.add(accessKey, inputs);
      return { id: accessKey, outputs: { value, issuedOn: new Date().toISOString() } };
    },
    async delete(id) {
      tokens.remove(id);
      await cloud.stores.store("r2").deleteKey(id);
    },
  };
}

/** The bucket and the rights that a token's policies name. */
function granted(cloud: Cloud, inputs: Props): { bucket: string; rights: Right[] } {
  const policies = inputs["policies"] as Props[];
  const ids = policies.flatMap((p) => (p["permissionGroups"] as Props[]).map((g) => g["id"]));
  const groups = ids.map((id) => Object.values(GROUPS).find((g) => g.id === id));
  if (groups.some((g) => !g)) throw apiError(400, 1001, "Permission group not found");
  const resources = policies.flatMap((p) => Object.keys(JSON.parse(String(p["resources"])) as Props));
  const found = resources.map((r) =>
    /^com\.cloudflare\.edge\.r2\.bucket\.([0-9a-f]{32})_(default|eu|fedramp)_(.+)$/.exec(r),
  );
  const [bucket] = found.map((m) => m?.[3]);
  if (!bucket || !books(cloud, "r2-bucket").find(bucket))
    throw apiError(400, 1001, `unknown resource ${resources.join()}`);
  return { bucket, rights: [...new Set(groups.flatMap((g) => g?.rights ?? []))] };
}

/** The name comes URL-encoded, as the real provider hands it on. */
const permissionGroups: Function = async (args) => {
  accountOf(args);
  const name = args["name"] === undefined ? undefined : decodeURIComponent(String(args["name"]));
  const found = Object.entries(GROUPS).filter(([n]) => name === undefined || n === name);
  const scopes = ["com.cloudflare.edge.r2.bucket"];
  return {
    ...args,
    results: found.map(([n, { id }]) => ({ id, name: n, scopes, category: "developer_platform" })),
  };
};

export const r2 = (cloud: Cloud): Record<string, Resource> => ({
  "cloudflare:index/r2Bucket:R2Bucket": bucket(cloud),
  "cloudflare:index/r2BucketCors:R2BucketCors": corsPart(cloud),
  "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": part(cloud, "r2-lifecycle", async () => undefined),
  "cloudflare:index/r2CustomDomain:R2CustomDomain": customDomain(cloud),
  "cloudflare:index/accountToken:AccountToken": accountToken(cloud),
});

export const r2Functions: Record<string, Function> = {
  "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList":
    permissionGroups,
};
