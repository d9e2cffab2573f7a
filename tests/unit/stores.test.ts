import assert from "node:assert/strict";
import { test } from "node:test";
import { secretOf } from "../../components/bucket-r2";
import { mastodonEnv, type KnownBucket } from "../../components/storage-settings";
import { media, storesConfig } from "./configs";
import { named, type Registered, settingsOf } from "./engine";
import { program } from "./program";

const calls = {
  "cloudflare:index/getZone:getZone": () => ({ zoneId: "zone" }),
  "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList": (
    inputs: Record<string, unknown>,
  ) => {
    const name = decodeURIComponent(String(inputs["name"]));
    return { results: [{ id: `id of ${name}`, name }] };
  },
};
const at = (store: keyof typeof storesConfig, change: Record<string, string> = {}) =>
  program(change, {}, storesConfig[store], calls);
const made = (list: Registered[]) =>
  list
    .filter((r) => r.custom && ["bucket", "cdn"].includes(r.parent))
    .map((r) => `${r.type.split(":").at(-1)} ${r.name}`);
const flags = (list: Registered[], name: string) => [
  named(list, name).protect,
  named(list, name).retainOnDelete,
];

test("s3 behind cloudfront: its children in their order", async () => {
  const list = await at("s3");
  assert.deepEqual(made(list).sort(), [
    "AccessKey bucket-key",
    "Bucket bucket-s3",
    "BucketCorsConfiguration bucket-cors",
    "BucketLifecycleConfiguration bucket-lifecycle",
    "BucketOwnershipControls bucket-ownership",
    "BucketPolicy bucket-policy",
    "BucketPublicAccessBlock bucket-access",
    "Certificate cdn-certificate",
    "CertificateValidation cdn-certificate-proof",
    "Distribution cdn-distribution",
    "DnsRecord cdn-certificate-record",
    "DnsRecord cdn-record",
    "OriginAccessControl cdn-oac",
    "User bucket-user",
    "UserPolicy bucket-user-policy",
  ]);
  const after = (name: string) => named(list, name).after;
  assert.ok(after("bucket-policy").includes("bucket-access"));
  assert.ok(after("bucket-key").includes("bucket-user-policy"));
  assert.ok(after("cdn-certificate-proof").includes("cdn-certificate-record"));
  assert.ok(after("cdn-distribution").includes("cdn-certificate-proof"));
  assert.ok(after("storage/tools").includes("cdn-record"));
});

test("s3: objects say themselves whether they are public; no policy can, and nobody is granted anything", async () => {
  const list = await at("s3");
  const { blockPublicAcls, ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets } = named(
    list,
    "bucket-access",
  ).inputs;
  assert.deepEqual(
    [blockPublicAcls, ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets],
    [false, false, true, true],
  );
  assert.deepEqual(named(list, "bucket-ownership").inputs["rule"], {
    objectOwnership: "BucketOwnerPreferred",
  });
  const policy = JSON.parse(String(named(list, "bucket-policy").inputs["policy"])) as {
    Statement: { Effect: string }[];
  };
  assert.deepEqual(
    policy.Statement.map((s) => s.Effect),
    ["Deny"],
  );
  const rights = JSON.parse(String(named(list, "bucket-user-policy").inputs["policy"])) as {
    Statement: { Action: string[]; Resource: string }[];
  };
  assert.deepEqual(rights.Statement.flatMap((s) => s.Action).sort(), [
    ...["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket"],
    ...["s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:PutObjectAcl"],
  ]);
  assert.deepEqual(
    rights.Statement.map((s) => s.Resource),
    ["arn:aws:s3:::social-media/*", "arn:aws:s3:::social-media"],
  );
});

test("cloudfront keeps no errors", async () => {
  const errors = named(await at("s3"), "cdn-distribution").inputs["customErrorResponses"] as {
    errorCode: number;
    errorCachingMinTtl: number;
  }[];
  assert.ok(errors.some((e) => e.errorCode === 403) && errors.some((e) => e.errorCode === 404));
  assert.ok(errors.every((e) => e.errorCachingMinTtl <= 1));
});

test("r2 and its own domain: its children; the secret is the token's hash", async () => {
  const list = await at("r2");
  assert.deepEqual(made(list).sort(), [
    "AccountToken bucket-key",
    "R2Bucket bucket-r2",
    "R2BucketCors bucket-cors",
    "R2BucketLifecycle bucket-lifecycle",
    "R2CustomDomain cdn-domain",
  ]);
  const told = settingsOf(named(list, "storage/copy"));
  assert.deepEqual(
    [told["SECRET_KEY"], told["PERMISSION"], told["OBJECT_ACL"]],
    [secretOf("token value"), "", "no"],
  );
  assert.match(told["STORAGE_ENV"] ?? "", /^S3_PERMISSION=$/m);
  const [policy] = named(list, "bucket-key").inputs["policies"] as { resources: string }[];
  assert.equal(
    policy?.resources,
    '{"com.cloudflare.edge.r2.bucket.0123456789abcdef0123456789abcdef_default_social-media":"*"}',
  );
});

test("b2 behind bunny.net: its children; the certificate waits for the record", async () => {
  const list = await at("b2");
  assert.deepEqual(made(list).sort(), [
    "Bucket bucket-b2",
    "DnsRecord cdn-record",
    "Hostname cdn-host",
    "Key bucket-key",
    "PullZone cdn-zone",
  ]);
  assert.ok(named(list, "cdn-host").after.includes("cdn-record"));
  assert.deepEqual(named(list, "bucket-b2").inputs["key"], { secret: "K001secret" });
  assert.deepEqual(named(list, "bucket-key").inputs["capabilities"], [
    ...["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"],
  ]);
});

test("buckets and CDNs are never deleted; from the switch on nothing can be, the app's key neither", async () => {
  const all: [keyof typeof storesConfig, string[]][] = [
    ["s3", ["bucket-s3", "bucket-ownership", "bucket-access", "cdn-distribution", "cdn-certificate"]],
    ["r2", ["bucket-r2", "cdn-domain"]],
    ["b2", ["bucket-b2", "cdn-zone", "cdn-host"]],
  ];
  for (const [store, names] of all) {
    const [before, from] = [await at(store, { phase: "shift" }), await at(store, { phase: "switch" })];
    for (const name of names) {
      assert.deepEqual(flags(before, name), [false, true], name);
      assert.deepEqual(flags(from, name), [true, true], name);
    }
    assert.deepEqual(flags(before, "bucket-key"), [false, false]);
    assert.deepEqual(flags(from, "bucket-key"), [true, true]);
  }
  const back = await program({ phase: "replicate" }, { storageAt: "switch" }, storesConfig.s3, calls);
  assert.deepEqual(flags(back, "bucket-s3"), [true, true]);
});

const account = "0123456789abcdef0123456789abcdef";
const stays: Record<keyof typeof storesConfig, { madeAs: string; names: string[] }> = {
  s3: {
    madeAs: "s3 eu-central-1 social-media cloudfront media.social.example",
    names: [
      ...[
        "bucket-access",
        "bucket-cors",
        "bucket-lifecycle",
        "bucket-ownership",
        "bucket-policy",
        "bucket-s3",
      ],
      ...[
        "cdn-certificate",
        "cdn-certificate-proof",
        "cdn-certificate-record",
        "cdn-distribution",
        "cdn-oac",
      ],
    ],
  },
  r2: {
    madeAs: `r2 ${account} social-media r2 media.social.example`,
    names: ["bucket-cors", "bucket-lifecycle", "bucket-r2", "cdn-domain"],
  },
  b2: {
    madeAs: "b2 social-media bunny media.social.example",
    names: ["bucket-b2", "cdn-host", "cdn-zone"],
  },
};
const atSurvey = (store: keyof typeof storesConfig, mediaMade?: string) =>
  program({ phase: "survey" }, {}, storesConfig[store], calls, { mediaMade });

test("at survey what the stack has made once stays: no more, unprotected, without the app's key", async () => {
  for (const store of ["s3", "r2", "b2"] as const) {
    const { madeAs, names } = stays[store];
    const list = await atSurvey(store, madeAs);
    assert.deepEqual(
      list
        .filter((r) => r.custom)
        .map((r) => r.name)
        .sort(),
      names,
    );
    for (const name of names) assert.deepEqual(flags(list, name), [false, true], name);
  }
});

test("at survey nothing is made, and what was made as something else is left to the store", async () => {
  for (const store of ["s3", "r2", "b2"] as const)
    for (const madeAs of [undefined, stays[store].madeAs.replace("social-media", "other-media")])
      assert.deepEqual(await atSurvey(store, madeAs), []);
});

const bucket: KnownBucket = {
  ...{ store: "other", name: "social-media", endpoint: "https://s3.store.example", region: "us-east-1" },
  ...{ pathStyle: true, accessKey: "id", secretKey: "secret", objectAcl: true, permission: "public-read" },
  publicUrl: "https://s3.store.example/social-media",
};

test("Mastodon's variables at a store by endpoint", () => {
  assert.deepEqual(mastodonEnv(bucket, "media.social.example"), {
    S3_ENABLED: "true",
    S3_BUCKET: "social-media",
    S3_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    S3_PROTOCOL: "https",
    S3_ALIAS_HOST: "media.social.example",
    S3_PERMISSION: "public-read",
    S3_ENDPOINT: "https://s3.store.example",
    S3_HOSTNAME: "s3.store.example",
    AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
    AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
  });
});

test("Mastodon's variables where a store differs", () => {
  const env = (change: Partial<KnownBucket>) => mastodonEnv({ ...bucket, ...change }, "media.social.example");
  const aws = env({ store: "s3", endpoint: "", pathStyle: false });
  assert.deepEqual(
    Object.keys(aws).filter((k) => /ENDPOINT|HOSTNAME|CHECKSUM|PATH_STYLE/.test(k)),
    [],
  );
  assert.equal(env({ permission: "" })["S3_PERMISSION"], "");
  assert.equal(env({ pathStyle: false })["S3_OVERRIDE_PATH_STYLE"], "true");
  assert.equal(env({ endpoint: "https://s3.eu-central-1.wasabisys.com" })["S3_FORCE_SINGLE_REQUEST"], "true");
  assert.equal(env({ endpoint: "https://storage.googleapis.com" })["S3_MULTIPART_THRESHOLD"], "52428800");
});

test("a store without ACLs of objects is told so by the admin", async () => {
  const told = settingsOf(named(await program({ mediaAcl: "false" }, {}, media, calls), "storage/copy"));
  assert.deepEqual([told["OBJECT_ACL"], told["PERMISSION"]], ["no", ""]);
});
