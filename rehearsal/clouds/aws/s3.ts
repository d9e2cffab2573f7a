/**
 * The stand-in S3 control plane: a bucket with its ownership, public access block, policy, CORS and lifecycle. What the
 * bucket then does with requests is the lab's store's part.
 */
import type { Cloud } from "../lab";
import type { Failure, Resource } from "../resource";
import type { Json, Props } from "../values";
import { apiError, books } from "./things";

/** Names of other accounts: they are global. */
const TAKEN = ["media", "mastodon", "test-bucket"];
const OWNERSHIPS = ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"];

function bucket(cloud: Cloud): Resource {
  const buckets = books(cloud, "aws-bucket");
  return {
    optional: ["bucket", "region", "tags", "forceDestroy"],
    computed: ["region"],
    autoName: "bucket",
    replaceOn: ["bucket", "region"],
    outputs: ["arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "tagsAll"],
    check({ bucket: name }): Failure[] {
      const bad =
        typeof name === "string" && !/^(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
      return bad ? [{ property: "bucket", reason: `invalid bucket name "${name}"` }] : [];
    },
    async create(inputs) {
      const name = String(inputs["bucket"]);
      if (TAKEN.includes(name)) throw apiError("S3: CreateBucket", 409, "BucketAlreadyExists", "");
      if (buckets.find(name)) throw apiError("S3: CreateBucket", 409, "BucketAlreadyOwnedByYou", "");
      await cloud.stores.store("s3").makeBucket(name);
      buckets.add(name, inputs);
      const regional = `${name}.s3.${String(inputs["region"])}.amazonaws.com`;
      const names = { bucketDomainName: `${name}.s3.amazonaws.com`, bucketRegionalDomainName: regional };
      return { id: name, outputs: { arn: `arn:aws:s3:::${name}`, ...names } };
    },
    async read(id) {
      // What is imported may say its region: NAME@REGION.
      const [name = ""] = id.split("@");
      const found = buckets.find(name);
      return found && { id: name, inputs: found.inputs, outputs: { arn: `arn:aws:s3:::${name}` } };
    },
    async update(id, inputs) {
      const found = buckets.find(id);
      if (found) buckets.change(found, inputs);
    },
    /** As the real one, only an empty bucket goes. */
    async delete(id) {
      await cloud.stores.store("s3").deleteBucket(id);
      buckets.remove(id);
    },
  };
}

/** A part of a bucket's settings, with the bucket's name for its id. */
function part(
  cloud: Cloud,
  kind: string,
  args: { required?: string[]; optional?: string[] },
  apply: (bucket: string, inputs: Props) => Promise<void>,
  undo: (bucket: string) => Promise<void> = async () => undefined,
): Resource {
  const parts = books(cloud, kind);
  const put = async (inputs: Props): Promise<string> => {
    const name = String(inputs["bucket"]);
    if (!books(cloud, "aws-bucket").find(name)) throw apiError(`S3: ${kind}`, 404, "NoSuchBucket", "");
    await apply(name, inputs);
    return name;
  };
  return {
    required: ["bucket", ...(args.required ?? [])],
    optional: ["region", ...(args.optional ?? [])],
    computed: ["region"],
    replaceOn: ["bucket", "region"],
    async create(inputs) {
      const name = await put(inputs);
      parts.remove(name);
      parts.add(name, inputs);
      return { id: name };
    },
    async update(id, inputs) {
      await put(inputs);
      const found = parts.find(id);
      if (found) parts.change(found, inputs);
    },
    async delete(id) {
      parts.remove(id);
      if (books(cloud, "aws-bucket").find(id)) await undo(id);
    },
  };
}

function ownership(cloud: Cloud): Resource {
  return part(cloud, "aws-ownership", { required: ["rule"] }, async (name, inputs) => {
    const wanted = String((inputs["rule"] as Props)["objectOwnership"]);
    if (!OWNERSHIPS.includes(wanted))
      throw apiError("S3: PutBucketOwnershipControls", 400, "MalformedXML", "");
    await cloud.stores
      .store("s3")
      .configure(name, { acl: wanted === "BucketOwnerEnforced" ? "none" : "object" });
  });
}

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

function access(cloud: Cloud): Resource {
  return part(cloud, "aws-access", { optional: [...BLOCKS, "skipDestroy"] }, async (name, inputs) => {
    await cloud.stores.store("s3").configure(name, { blockPublicAcls: inputs["blockPublicAcls"] === true });
  });
}

function policy(cloud: Cloud): Resource {
  return part(cloud, "aws-policy", { required: ["policy"] }, async (name, inputs) => {
    const { Statement } = JSON.parse(String(inputs["policy"])) as { Statement: Props[] };
    const open = Statement.some(
      (s) => s["Effect"] === "Allow" && isEveryone(s["Principal"]) && !s["Condition"],
    );
    const blocks = books(cloud, "aws-access").find(name)?.inputs["blockPublicPolicy"] ?? true;
    if (open && blocks)
      throw apiError(
        "S3: PutBucketPolicy",
        403,
        "AccessDenied",
        "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
      );
    await cloud.stores.store("s3").configure(name, { publicRead: open });
  });
}

function isEveryone(principal: Json | undefined): boolean {
  return principal === "*" || (principal as Props | undefined)?.["AWS"] === "*";
}

function cors(cloud: Cloud): Resource {
  return part(cloud, "aws-cors", { required: ["corsRules"] }, async (name, inputs) => {
    const rules = (inputs["corsRules"] as Props[]).map((r) => ({
      origins: r["allowedOrigins"] as string[],
      methods: r["allowedMethods"] as string[],
      headers: r["allowedHeaders"] as string[] | undefined,
    }));
    await cloud.stores.store("s3").configure(name, { cors: rules });
  });
}

function lifecycle(cloud: Cloud): Resource {
  return part(cloud, "aws-lifecycle", { required: ["rules"] }, async (_name, inputs) => {
    for (const rule of inputs["rules"] as Props[])
      if (!["Enabled", "Disabled"].includes(String(rule["status"])))
        throw apiError("S3: PutBucketLifecycleConfiguration", 400, "MalformedXML", "");
  });
}

export function s3(cloud: Cloud): Record<string, Resource> {
  return {
    "aws:s3/bucket:Bucket": bucket(cloud),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ownership(cloud),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": access(cloud),
    "aws:s3/bucketPolicy:BucketPolicy": policy(cloud),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": cors(cloud),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": lifecycle(cloud),
  };
}
