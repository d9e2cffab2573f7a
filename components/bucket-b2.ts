import * as pulumi from "@pulumi/pulumi";
import { type BucketArgs, kept, keyOf, type Made, type Options } from "./bucket";

/** A key that may make buckets and keys. */
interface Credentials {
  keyId: pulumi.Input<string>;
  key: pulumi.Input<string>;
}

/** A public bucket; `providers/stores/b2.ts` makes it. @stateful */
class Bucket extends pulumi.CustomResource {
  declare readonly bucketId: pulumi.Output<string>;
  declare readonly endpoint: pulumi.Output<string>;
  declare readonly region: pulumi.Output<string>;

  constructor(
    name: string,
    args: Credentials & { name: string; owner: string },
    opts: pulumi.CustomResourceOptions,
  ) {
    super(
      "stores:b2:Bucket",
      name,
      { ...args, bucketId: undefined, endpoint: undefined, region: undefined },
      opts,
    );
  }
}

/** A key for one bucket. */
class Key extends pulumi.CustomResource {
  declare readonly applicationKey: pulumi.Output<string>;

  constructor(
    name: string,
    args: Credentials & { name: string; bucketId: pulumi.Input<string>; capabilities: string[] },
    opts: pulumi.CustomResourceOptions,
  ) {
    const secret = { additionalSecretOutputs: ["applicationKey"] };
    super("stores:b2:Key", name, { ...args, applicationKey: undefined }, { ...secret, ...opts });
  }
}

/** What Mastodon does with a bucket, and what `storage/verify` needs to count it: the list. */
export const capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"];

/** A bucket at Backblaze B2: public as a whole, since its objects have no ACLs of their own. */
export function make(name: string, { storage, domain, used }: BucketArgs, opts: Options): Made {
  const admin = { keyId: storage.accessKey, key: pulumi.secret(storage.secretKey) };
  const bucket = new Bucket(
    `${name}-b2`,
    { ...admin, name: storage.bucket, owner: domain },
    kept(opts, used),
  );
  return {
    ...{ pathStyle: true, objectAcl: false, permission: "" },
    endpoint: bucket.endpoint,
    region: bucket.region,
    publicUrl: bucket.endpoint.apply((e) => e.replace("https://", `https://${storage.bucket}.`)),
    resources: [bucket],
    key() {
      const key = new Key(
        `${name}-key`,
        { ...admin, name: `mastodon-${storage.bucket}`, bucketId: bucket.bucketId, capabilities },
        keyOf(opts, used),
      );
      return { accessKey: key.id, secretKey: key.applicationKey, resources: [key] };
    },
  };
}
