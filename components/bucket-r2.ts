import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { type BucketArgs, kept, keyOf, type Made, type Options } from "./bucket";
import { leftover } from "./leftover";

const jurisdictions = ["eu", "fedramp"];

/** The account, the bucket and its jurisdiction, as every resource at R2 wants to be told. */
export function placeOf(storage: BucketArgs["storage"]) {
  const { account: accountId, bucket: bucketName, region } = storage;
  return { accountId, bucketName, jurisdiction: jurisdictions.includes(region) ? region : "default" };
}

/** A bucket at Cloudflare R2, which has no ACLs: its own domain serves every object in it to everyone. */
export function make(name: string, { storage, used }: BucketArgs, opts: Options): Made {
  const place = placeOf(storage);
  const { accountId, bucketName, jurisdiction } = place;
  const own = kept(opts, used);
  const location = storage.region && jurisdiction === "default" ? storage.region : undefined;
  const left = leftover({
    ...{ type: "cloudflare:index/r2Bucket:R2Bucket", name: `${name}-r2` },
    ...{ id: `${accountId}/${bucketName}/${jurisdiction}` },
    ...{ parent: opts.parent, owned: /already exists, and you own it/ },
  });
  const bucket = new cloudflare.R2Bucket(
    `${name}-r2`,
    { accountId, name: bucketName, jurisdiction, location },
    // A location counts only when a name is used for the first time; the answer may be another one.
    { ...own, ignoreChanges: ["location"], hooks: { onError: [left] } },
  );
  const there = { ...own, dependsOn: [bucket] };
  const cors = new cloudflare.R2BucketCors(
    `${name}-cors`,
    { ...place, rules: [{ allowed: { methods: ["GET", "HEAD"], origins: ["*"], headers: ["*"] } }] },
    there,
  );
  const lifecycle = new cloudflare.R2BucketLifecycle(
    `${name}-lifecycle`,
    { ...place, rules: [aborted] },
    there,
  );
  const infix = jurisdiction === "default" ? "" : `${jurisdiction}.`;
  return {
    ...{ region: "auto", pathStyle: true, objectAcl: false, permission: "" },
    endpoint: `https://${accountId}.${infix}r2.cloudflarestorage.com`,
    publicUrl: `https://${storage.host}`,
    resources: [bucket, cors, lifecycle],
    key() {
      const token = tokenFor(name, place, { ...keyOf(opts, used), dependsOn: [bucket] });
      return { accessKey: token.id, secretKey: token.value.apply(secretOf), resources: [token] };
    },
  };
}

const aborted = {
  ...{ id: "aborted-uploads", enabled: true, conditions: { prefix: "" } },
  abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 7 * 86_400 } },
};

/** A token for the objects of this bucket and nothing else; its id and hash are the S3 key. */
function tokenFor(
  name: string,
  { accountId, bucketName, jurisdiction }: ReturnType<typeof placeOf>,
  opts: pulumi.CustomResourceOptions,
): cloudflare.AccountToken {
  const wanted = ["Workers R2 Storage Bucket Item Read", "Workers R2 Storage Bucket Item Write"];
  const groups = wanted.map((group) =>
    cloudflare
      .getAccountApiTokenPermissionGroupsListOutput(
        { accountId, name: encodeURIComponent(group) },
        { parent: opts.parent },
      )
      .results.apply((found) => {
        const id = found.find((g) => g.name === group)?.id;
        if (!id) throw new Error(`Cloudflare has no permission group "${group}" for account ${accountId}`);
        return { id };
      }),
  );
  const resource = `com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${bucketName}`;
  return new cloudflare.AccountToken(
    `${name}-key`,
    {
      ...{ accountId, name: `Mastodon media in ${bucketName}` },
      policies: [
        { effect: "allow", permissionGroups: groups, resources: JSON.stringify({ [resource]: "*" }) },
      ],
    },
    opts,
  );
}

/** https://developers.cloudflare.com/r2/api/tokens/: the secret is the SHA-256 of the token's value, in hex. */
export function secretOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
