/**
 * The stand-in Backblaze B2: authorize, buckets and keys of its native API, version 3, with what it refuses: names of
 * others, capabilities that a key does not have, the master key on the S3 API. Not modelled and refused: files, which go
 * by S3 in the lab, and every other call.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Asked, Refusal } from "./httpapi";
import type { Cloud } from "./lab";
import { take, type Thing } from "./store";
import type { Json, Props } from "./values";
import type { Right } from "../stores";

const ACCOUNT = "0a1b2c3d4e5f";
const REGION = "eu-central-003";
/** Names of other accounts. */
const TAKEN = ["backups", "my-bucket"];

/** What a capability is in the words of the lab's stores. */
const RIGHTS: Record<string, Right[]> = {
  listFiles: ["list"],
  readFiles: ["get"],
  writeFiles: ["put"],
  deleteFiles: ["delete"],
};
const CAPABILITIES = [
  ...[
    "listKeys",
    "writeKeys",
    "deleteKeys",
    "listAllBucketNames",
    "listBuckets",
    "readBuckets",
    "writeBuckets",
  ],
  ...["deleteBuckets", "listFiles", "readFiles", "shareFiles", "writeFiles", "deleteFiles"],
];

function refuse(status: number, code: string, message: string): never {
  throw new Refusal(status, { status, code, message });
}

interface Grant {
  capabilities: string[];
}

export class B2 {
  private readonly tokens = new Map<string, Grant>();

  constructor(private readonly cloud: Cloud) {}

  /** A key of the account's owner, as the dashboard makes one: it may do everything, but not by S3. */
  masterKey(): { accessKey: string; secretKey: string } {
    const secretKey = `K003${randomBytes(14).toString("base64url")}`;
    this.add("b2-master", ACCOUNT, {}, { hash: hash(secretKey), capabilities: CAPABILITIES });
    return { accessKey: ACCOUNT, secretKey };
  }

  async handle(asked: Asked, url: string): Promise<Props> {
    const call = asked.path.replace("/b2api/v3/", "");
    if (call === "b2_authorize_account") return this.authorize(asked, url);
    const grant = this.tokens.get(asked.headers.authorization ?? "");
    if (!grant) refuse(401, "bad_auth_token", "Invalid authorization token");
    const needs = {
      b2_create_bucket: "writeBuckets",
      b2_update_bucket: "writeBuckets",
      b2_list_buckets: "listBuckets",
    };
    const keys = { b2_create_key: "writeKeys", b2_delete_key: "deleteKeys" };
    const needed = ({ ...needs, ...keys } as Record<string, string>)[call];
    if (!needed) refuse(400, "bad_request", `the stand-in has no ${call}`);
    if (!grant.capabilities.includes(needed))
      refuse(401, "unauthorized", `unauthorized for ${call}: needs ${needed}`);
    if (call !== "b2_delete_key" && asked.body["accountId"] !== ACCOUNT)
      refuse(400, "bad_request", "Invalid accountId");
    return this.does(call, asked.body);
  }

  private async does(call: string, body: Props): Promise<Props> {
    if (call === "b2_create_bucket") return this.createBucket(body);
    if (call === "b2_update_bucket") return this.updateBucket(body);
    if (call === "b2_create_key") return this.createKey(body);
    if (call === "b2_delete_key") return this.deleteKey(body);
    const named = this.buckets().filter(
      (b) => !body["bucketName"] || b.inputs["bucketName"] === body["bucketName"],
    );
    return { buckets: named.map(describe) };
  }

  private authorize(asked: Asked, url: string): Props {
    const given = Buffer.from(
      (asked.headers.authorization ?? "").replace(/^Basic /, ""),
      "base64",
    ).toString();
    const [id = "", secret = ""] = given.split(":");
    const key = this.all("b2-master", "b2-key").find((k) => k.id === id && k.own["hash"] === hash(secret));
    if (!key) refuse(401, "bad_auth_token", "Invalid applicationKeyId or applicationKey");
    const token = `4_${randomBytes(20).toString("hex")}`;
    const capabilities = key.own["capabilities"] as string[];
    this.tokens.set(token, { capabilities });
    const storageApi = { apiUrl: url, s3ApiUrl: `https://s3.${REGION}.backblazeb2.com`, capabilities };
    return { accountId: ACCOUNT, authorizationToken: token, apiInfo: { storageApi } };
  }

  private async createBucket(body: Props): Promise<Props> {
    const name = String(body["bucketName"]);
    if (!/^(?!b2-)[a-z0-9-]{6,63}$/i.test(name)) refuse(400, "bad_request", `Invalid bucket name: ${name}`);
    checkSettings(body);
    if (TAKEN.includes(name) || this.buckets().some((b) => b.inputs["bucketName"] === name))
      refuse(400, "duplicate_bucket_name", "Bucket name is already in use.");
    const made = this.add("b2-bucket", randomBytes(12).toString("hex"), body, {});
    await this.cloud.stores.store("b2").makeBucket(name, settingsOf(body));
    return describe(made);
  }

  private async updateBucket(body: Props): Promise<Props> {
    const found = this.buckets().find((b) => b.id === body["bucketId"]);
    if (!found) refuse(400, "bad_bucket_id", "Bucket does not exist");
    checkSettings(body);
    this.cloud.store.change(() => Object.assign(found.inputs, body));
    await this.cloud.stores
      .store("b2")
      .configure(String(found.inputs["bucketName"]), settingsOf(found.inputs));
    return describe(found);
  }

  private async createKey(body: Props): Promise<Props> {
    const capabilities = (body["capabilities"] ?? []) as string[];
    const unknown = capabilities.filter((c) => !CAPABILITIES.includes(c));
    if (!capabilities.length || unknown.length)
      refuse(400, "bad_request", `unknown capability: ${unknown.join()}`);
    if (!/^[A-Za-z0-9-]{1,100}$/.test(String(body["keyName"]))) refuse(400, "bad_request", "invalid keyName");
    const bucket = this.buckets().find((b) => b.id === body["bucketId"]);
    if (body["bucketId"] && !bucket) refuse(400, "bad_bucket_id", "Bucket does not exist");
    const credentials = {
      accessKey: `003${ACCOUNT}${String(this.cloud.store.id()).padStart(10, "0")}`,
      secretKey: `K003${randomBytes(20).toString("base64url").slice(0, 27)}`,
    };
    const rights = capabilities.flatMap((c) => RIGHTS[c] ?? []);
    const name = bucket && String(bucket.inputs["bucketName"]);
    await this.cloud.stores.store("b2").makeKey({ bucket: name, rights, credentials });
    this.add("b2-key", credentials.accessKey, body, { hash: hash(credentials.secretKey), capabilities });
    const { accessKey: applicationKeyId, secretKey: applicationKey } = credentials;
    return { applicationKeyId, applicationKey, keyName: body["keyName"] ?? "", capabilities };
  }

  private async deleteKey({ applicationKeyId }: Props): Promise<Props> {
    const gone = this.cloud.store.change((s) =>
      take(s.things, (t) => t.kind === "b2-key" && t.id === applicationKeyId),
    );
    if (!gone.length) refuse(400, "bad_request", `invalid application key id: ${String(applicationKeyId)}`);
    await this.cloud.stores.store("b2").deleteKey(String(applicationKeyId));
    return { applicationKeyId: applicationKeyId ?? "" };
  }

  private add(kind: string, id: string, inputs: Props, own: Props): Thing {
    const thing = { kind, id, inputs, own };
    this.cloud.store.change((s) => s.things.push(thing));
    return thing;
  }

  private all(...kinds: string[]): Thing[] {
    return this.cloud.store.state.things.filter((t) => kinds.includes(t.kind));
  }

  private buckets(): Thing[] {
    return this.all("b2-bucket");
  }
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function describe({ id, inputs }: Thing): Props {
  const { accountId, ...settings } = inputs;
  return {
    bucketInfo: {},
    corsRules: [],
    lifecycleRules: [],
    ...settings,
    accountId: accountId ?? ACCOUNT,
    bucketId: id,
  };
}

function checkSettings(body: Props): void {
  if (body["bucketType"] !== "allPublic" && body["bucketType"] !== "allPrivate")
    refuse(400, "bad_request", `unknown bucketType: ${String(body["bucketType"])}`);
  for (const rule of (body["lifecycleRules"] ?? []) as Props[])
    for (const field of ["daysFromHidingToDeleting", "daysFromUploadingToHiding"])
      if (typeof rule[field] === "number" && rule[field] < 1)
        refuse(400, "bad_request", `${field} must be positive`);
}

function settingsOf(body: Props) {
  const corsRules = (body["corsRules"] ?? []) as Record<string, Json>[];
  return {
    publicRead: body["bucketType"] === "allPublic",
    cors: corsRules.map((r) => ({
      origins: r["allowedOrigins"] as string[],
      methods: ((r["allowedOperations"] as string[]).includes("s3_get") ? ["GET"] : []).concat("HEAD"),
      headers: r["allowedHeaders"] as string[],
    })),
  };
}
