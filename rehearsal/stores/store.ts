import { randomBytes } from "node:crypto";
import { allRights, type BucketSettings, corsXml, policy, type Right } from "./bucket";
import { Hold, type StoreFault } from "./faults";
import { Gate } from "./gate";
import { Gateway } from "./gateway";
import { publicUrl, type StoreKind, storeNames } from "./names";
import { newBucket } from "./quirks";
import type { Credentials } from "./sign";

interface Key extends Credentials {
  /** The one bucket that it is for; undefined: all, as its owner. */
  bucket?: string;
  rights: Right[];
}

/** An object as the store has it. */
export interface StoredObject {
  key: string;
  bytes: number;
  /** MD5 of its bytes where it was uploaded in one piece. */
  etag: string;
}

/** One vendor's store: its buckets and keys as the vendor's own tools see them, and its accidents. */
export class ObjectStore {
  readonly gate: Gate;
  private readonly buckets = new Map<string, BucketSettings>();
  private readonly keys = new Map<string, Key>();

  private constructor(
    readonly kind: StoreKind,
    private readonly gateway: Gateway,
  ) {
    this.gate = new Gate({
      kind,
      host: this.host,
      port: gateway.port,
      data: gateway.data,
      settings: (bucket) => this.buckets.get(bucket),
      rights: (accessKey) => this.keys.get(accessKey)?.rights,
    });
  }

  static async start(kind: StoreKind, dir: string): Promise<ObjectStore> {
    const { region, host } = storeNames[kind];
    return new ObjectStore(kind, await Gateway.start({ dir, region, host }));
  }

  get host(): string {
    return storeNames[this.kind].host;
  }

  get region(): string {
    return storeNames[this.kind].region;
  }

  /** URL of the S3 API. */
  get endpoint(): string {
    return `https://${this.host}`;
  }

  /** Where its S3 server answers on loopback, past the gate: for who may read everything, such as a CDN with a key. */
  get origin(): string {
    return this.gateway.origin;
  }

  /** The owner's credentials. */
  get root(): Credentials {
    return this.gateway.root;
  }

  publicUrl(bucket: string): string {
    return publicUrl(this.kind, bucket);
  }

  async makeBucket(name: string, settings: Partial<BucketSettings> = {}): Promise<void> {
    await this.gateway.must("PUT", `/${name}`);
    this.buckets.set(name, { ...newBucket[this.kind] });
    await this.configure(name, settings);
  }

  /** Changes what is said of a bucket, and only that. */
  async configure(name: string, settings: Partial<BucketSettings>): Promise<void> {
    const all = Object.assign(this.settings(name), settings);
    if (all.versions)
      await this.gateway.must(
        "PUT",
        `/${name}?versioning`,
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
      );
    if (all.cors.length) await this.gateway.must("PUT", `/${name}?cors`, corsXml(all.cors));
    else if (settings.cors) await this.gateway.must("DELETE", `/${name}?cors`);
    await this.grant(name);
  }

  settings(name: string): BucketSettings {
    const found = this.buckets.get(name);
    if (!found) throw new Error(`stores: ${this.kind} has no bucket "${name}"`);
    return found;
  }

  hasBucket(name: string): boolean {
    return this.buckets.has(name);
  }

  /** As a real one it must be empty. */
  async deleteBucket(name: string): Promise<void> {
    this.settings(name);
    await this.gateway.must("DELETE", `/${name}`);
    this.buckets.delete(name);
  }

  /** A key for a bucket with these rights; without a bucket one that may do everything. Credentials may be given. */
  async makeKey(
    o: { bucket?: string; rights?: Right[]; credentials?: Credentials } = {},
  ): Promise<Credentials> {
    const made = { accessKey: randomBytes(10).toString("hex"), secretKey: randomBytes(20).toString("hex") };
    const key = { ...(o.credentials ?? made), bucket: o.bucket, rights: o.rights ?? allRights };
    const role = o.bucket === undefined ? "admin" : "user";
    await this.gateway.admin(
      "create-user",
      "--access",
      key.accessKey,
      "--secret",
      key.secretKey,
      "--role",
      role,
    );
    this.keys.set(key.accessKey, key);
    if (key.bucket !== undefined) await this.grant(key.bucket);
    return { accessKey: key.accessKey, secretKey: key.secretKey };
  }

  /** Revokes a key: from now on the store does not know it. */
  async deleteKey(accessKey: string): Promise<void> {
    const key = this.keys.get(accessKey);
    if (!key) throw new Error(`stores: ${this.kind} has no key "${accessKey}"`);
    this.keys.delete(accessKey);
    if (key.bucket !== undefined && this.hasBucket(key.bucket)) await this.grant(key.bucket);
    await this.gateway.admin("delete-user", "--access", accessKey);
  }

  /** All objects of a bucket in the order of their keys, a thousand at a time. */
  async *objects(bucket: string): AsyncGenerator<StoredObject> {
    for (let token = ""; ;) {
      const next = token && `&continuation-token=${encodeURIComponent(token)}`;
      const page = await this.gateway.must("GET", `/${bucket}?list-type=2&max-keys=1000${next}`);
      for (const [, item = ""] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs))
        yield {
          key: tag(item, "Key"),
          bytes: Number(tag(item, "Size")),
          etag: tag(item, "ETag").replaceAll('"', ""),
        };
      token = tag(page, "NextContinuationToken");
      if (!token) return;
    }
  }

  /** Puts an object there by the owner's hand, as when something else writes to the bucket. */
  async put(bucket: string, key: string, content: string): Promise<void> {
    await this.gateway.must("PUT", `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`, content);
  }

  /** Takes everything out of a bucket. */
  async empty(bucket: string): Promise<void> {
    const keys: string[] = [];
    for await (const { key } of this.objects(bucket)) keys.push(key);
    const workers = Array.from({ length: 16 }, async () => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop()) await this.delete(bucket, key);
    });
    await Promise.all(workers);
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.gateway.must("DELETE", `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`);
  }

  /** Makes the next matching requests go wrong. */
  fail(fault: StoreFault): void {
    this.gate.faults.add(fault);
  }

  /** Lets so many uploads through, and has the rest wait until it is released or the store is healed. */
  hold(uploads: number): Hold {
    return (this.gate.faults.hold = new Hold(uploads));
  }

  /** Ends all accidents, a wrong clock among them. */
  heal(): void {
    this.gate.faults.heal();
    this.gate.clockAheadMs = 0;
  }

  stop(): Promise<void> {
    return this.gateway.stop();
  }

  private async grant(bucket: string): Promise<void> {
    const keys = [...this.keys.values()].filter((k) => k.bucket === bucket);
    await this.gateway.must("PUT", `/${bucket}?policy`, policy(bucket, keys));
  }
}

function tag(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(
    /&(?:(\w+)|#(\d+)|#x([0-9A-Fa-f]+));/g,
    (whole, word?: string, dec?: string, hex?: string) =>
      word
        ? (named[word] ?? whole)
        : String.fromCodePoint(dec ? Number(dec) : Number.parseInt(hex ?? "", 16)),
  );
}
