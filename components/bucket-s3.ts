import * as iam from "@pulumi/aws/iam";
import * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { type BucketArgs, kept, keyOf, type Made, type Options } from "./bucket";
import { leftover } from "./leftover";

/**
 * A bucket at AWS in which each object says by its own ACL whether it is public, as Mastodon wants it: so files
 * of suspended accounts are private. No policy can make it public as a whole, and nobody can list it but the app.
 */
export function make(name: string, { storage, domain, used }: BucketArgs, opts: Options): Made {
  const { bucket, region } = storage;
  const own = kept(opts, used);
  const left = leftover({
    ...{ type: "aws:s3/bucket:Bucket", name: `${name}-s3`, id: `${bucket}@${region}` },
    ...{ parent: opts.parent, owned: /BucketAlreadyOwnedByYou/ },
  });
  const made = new s3.Bucket(
    `${name}-s3`,
    { bucket, region, tags: { trunkline: domain } },
    { ...own, hooks: { onError: [left] } },
  );
  const rules = rulesOf(name, { bucket: made.bucket, region }, own);
  return {
    ...{ endpoint: "", region, pathStyle: false, objectAcl: true, permission: "public-read" },
    publicUrl: `https://${bucket}.s3.${region}.amazonaws.com`,
    resources: [made, ...rules],
    key() {
      const key = keyFor(name, bucket, made.arn, keyOf(opts, used));
      return { accessKey: key.id, secretKey: key.secret, resources: [key] };
    },
  };
}

type Where = { bucket: pulumi.Input<string>; region: string };

function rulesOf(name: string, where: Where, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
  const ownership = new s3.BucketOwnershipControls(
    `${name}-ownership`,
    { ...where, rule: { objectOwnership: "BucketOwnerPreferred" } },
    opts,
  );
  // Lets ACLs of objects through; a policy that would make everything public, private files too, is refused.
  const access = new s3.BucketPublicAccessBlock(
    `${name}-access`,
    {
      ...where,
      ...{ blockPublicAcls: false, ignorePublicAcls: false },
      ...{ blockPublicPolicy: true, restrictPublicBuckets: true },
    },
    opts,
  );
  // Both write the bucket's policy, and AWS refuses two changes of it at once.
  const policy = new s3.BucketPolicy(
    `${name}-policy`,
    { ...where, policy: onlyTls(where.bucket) },
    { ...opts, dependsOn: [access] },
  );
  const cors = new s3.BucketCorsConfiguration(
    `${name}-cors`,
    {
      ...where,
      corsRules: [{ allowedMethods: ["GET", "HEAD"], allowedOrigins: ["*"], allowedHeaders: ["*"] }],
    },
    opts,
  );
  const lifecycle = new s3.BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    {
      ...where,
      rules: [
        {
          id: "aborted-uploads",
          status: "Enabled",
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
    opts,
  );
  return [ownership, access, policy, cors, lifecycle];
}

/** Grants nothing to anyone, the CDN included: what is public is so by its own ACL. */
function onlyTls(bucket: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OnlyTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [pulumi.interpolate`arn:aws:s3:::${bucket}`, pulumi.interpolate`arn:aws:s3:::${bucket}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
}

/** What Mastodon does with a bucket, and what `storage/verify` needs to count it: the list. */
export const appActions = {
  objects: [
    ...["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
    ...["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
  ],
  bucket: ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
};

function keyFor(
  name: string,
  bucket: string,
  arn: pulumi.Input<string>,
  opts: Options & pulumi.CustomResourceOptions,
): iam.AccessKey {
  const called = `mastodon-${bucket}`;
  const left = leftover({
    ...{ type: "aws:iam/user:User", name: `${name}-user`, id: called },
    ...{ parent: opts.parent, owned: /EntityAlreadyExists/ },
  });
  const user = new iam.User(
    `${name}-user`,
    { name: called, path: "/trunkline/" },
    { ...opts, hooks: { onError: [left] } },
  );
  const policy = new iam.UserPolicy(
    `${name}-user-policy`,
    {
      user: user.name,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: appActions.objects, Resource: pulumi.interpolate`${arn}/*` },
          { Effect: "Allow", Action: appActions.bucket, Resource: arn },
        ],
      }),
    },
    opts,
  );
  return new iam.AccessKey(`${name}-key`, { user: user.name }, { ...opts, dependsOn: [policy] });
}
