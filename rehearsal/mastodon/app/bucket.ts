import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ObjectCannedACL,
  PutObjectAclCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { existsSync, readFileSync } from "node:fs";
import https from "node:https";
import { Breaker } from "./breaker";
import { type Env, number } from "./config";
import { bucketName } from "./file-url";
import { trustStore } from "./outgoing";
import { contentType } from "./paths";
import { learn, lookup } from "./lookup";
import { type Storage, StorageAway } from "./storage";

const cacheControl = "public, max-age=315576000, immutable";
const partSize = 5 << 20;

/** An S3 bucket, by the variables of the real one, and asked as Paperclip and the Ruby SDK ask. */
export class Bucket implements Storage {
  private readonly client: S3Client;
  /** Undefined: no ACL is sent at all, and none is ever changed. */
  private readonly permission?: string;
  private readonly breaker = new Breaker(10, 30_000, (e) => e instanceof StorageAway);

  constructor(private readonly env: Env) {
    this.client = makeClient(env);
    this.permission = env.S3_PERMISSION === "" ? undefined : (env.S3_PERMISSION ?? "public-read");
  }

  async put(key: string, bytes: Buffer, confidential = false): Promise<void> {
    const acl = this.permission && (confidential ? "private" : this.permission);
    const object = {
      ...this.object(key),
      ContentType: contentType(key),
      CacheControl: cacheControl,
      ACL: acl as ObjectCannedACL | undefined,
      StorageClass: this.env.S3_STORAGE_CLASS as PutObjectCommandInput["StorageClass"],
    };
    await this.breaker.run(() => this.insist(() => this.upload(object, bytes)));
  }

  /** A file is fetched in one go only if that is asked for: some stores don't know the question for the first part's size. */
  async get(key: string): Promise<Buffer> {
    if (this.env.S3_FORCE_SINGLE_REQUEST !== "true")
      await told(this.client.send(new HeadObjectCommand({ ...this.object(key), PartNumber: 1 })));
    const answer = await told(this.client.send(new GetObjectCommand(this.object(key))));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  }

  /** What a store says against a deletion is not heard. */
  async remove(key: string): Promise<boolean> {
    const answer = told(this.client.send(new DeleteObjectCommand(this.object(key))));
    return answer.then(() => true).catch(unless((e) => e instanceof S3ServiceException));
  }

  async hide(key: string, hidden: boolean): Promise<void> {
    if (!this.permission) return;
    const ACL = (hidden ? "private" : this.permission) as ObjectCannedACL;
    await told(this.client.send(new PutObjectAclCommand({ ...this.object(key), ACL }))).catch(
      unless((e) => ["NoSuchKey", "NotImplemented"].includes(e.name)),
    );
  }

  /** Keys as the bucket has them, S3_KEY_PREFIX included. */
  async *keys(o: { prefix?: string; startAfter?: string } = {}): AsyncGenerator<string> {
    const where = { Bucket: bucketName(this.env), Prefix: o.prefix, StartAfter: o.startAfter, MaxKeys: 1000 };
    for (let token: string | undefined; ;) {
      const page = await told(
        this.client.send(new ListObjectsV2Command({ ...where, ContinuationToken: token })),
      );
      for (const { Key } of page.Contents ?? []) if (Key) yield Key;
      token = page.NextContinuationToken;
      if (!token) return;
    }
  }

  private object(key: string): { Bucket: string; Key: string } {
    const prefix = this.env.S3_KEY_PREFIX;
    return { Bucket: bucketName(this.env), Key: prefix === undefined ? key : `${prefix}/${key}` };
  }

  /** A bucket that is not there is made; a store that asks to slow down is asked again after 1, 2, 4, 8 and 16 s. */
  private async insist(upload: () => Promise<void>): Promise<void> {
    for (let slowed = 0; ;) {
      const e = await upload().then(
        () => undefined,
        (e: Error) => e,
      );
      if (!e) return;
      if (e.name === "NoSuchBucket") await this.createBucket();
      else if (e.name !== "SlowDown" || slowed === 5) throw e;
      else await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** ++slowed));
    }
  }

  private async createBucket(): Promise<void> {
    await told(this.client.send(new CreateBucketCommand({ Bucket: bucketName(this.env) })));
  }

  private async upload(object: PutObjectCommandInput, bytes: Buffer): Promise<void> {
    if (bytes.length < number(this.env, "S3_MULTIPART_THRESHOLD", 15 << 20))
      return void (await told(this.client.send(new PutObjectCommand({ ...object, Body: bytes }))));
    const { UploadId } = await told(this.client.send(new CreateMultipartUploadCommand(object)));
    const upload = { Bucket: object.Bucket, Key: object.Key, UploadId };
    const parts = [];
    for (let at = 0, PartNumber = 1; at < bytes.length; at += partSize, PartNumber++) {
      const Body = bytes.subarray(at, at + partSize);
      const part = await told(this.client.send(new UploadPartCommand({ ...upload, PartNumber, Body })));
      const { ETag, ChecksumCRC32 } = part;
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    const whole = { ...upload, MultipartUpload: { Parts: parts } };
    await told(this.client.send(new CompleteMultipartUploadCommand(whole)));
  }
}

function makeClient(env: Env): S3Client {
  const ca = existsSync(trustStore) ? readFileSync(trustStore) : undefined;
  if (URL.canParse(env.S3_ENDPOINT ?? "")) learn(new URL(env.S3_ENDPOINT ?? "").hostname);
  const seconds = (name: string) => number(env, name, 5) * 1000;
  const when = (name: string) =>
    env[name]?.toLowerCase() === "when_required" ? ("WHEN_REQUIRED" as const) : ("WHEN_SUPPORTED" as const);
  // It would warn in every log that some later version of it wants a later Node.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  return new S3Client({
    region: env.S3_REGION ?? "us-east-1",
    endpoint: env.S3_ENDPOINT,
    forcePathStyle: env.S3_ENDPOINT !== undefined && env.S3_OVERRIDE_PATH_STYLE !== "true",
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
    },
    maxAttempts: 1 + number(env, "S3_RETRY_LIMIT", 0),
    requestChecksumCalculation: when("AWS_REQUEST_CHECKSUM_CALCULATION"),
    responseChecksumValidation: when("AWS_RESPONSE_CHECKSUM_VALIDATION"),
    requestHandler: {
      connectionTimeout: seconds("S3_OPEN_TIMEOUT"),
      socketTimeout: seconds("S3_READ_TIMEOUT"),
      // A connection that was idle for longer is not used again (`http_idle_timeout` of the Ruby SDK, 5 s).
      httpsAgent: new https.Agent({ keepAlive: true, maxSockets: 50, timeout: 5000, lookup, ca }),
    },
  });
}

/** An answer, or what the store said; silence is told apart from a refusal. */
function told<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((e: Error) => {
    if (e instanceof S3ServiceException) throw e;
    throw new StorageAway(`${e.name}: ${e.message}`);
  });
}

/** Lets an error of that kind be a `false`. */
const unless = (fits: (e: Error) => boolean) => (e: Error) => {
  if (fits(e)) return false as const;
  throw e;
};
