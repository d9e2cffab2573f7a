/**
 * The object stores of the lab: a real S3 server for each vendor, under the vendor's own names, with what that vendor does
 * differently. Whoever plays a vendor's control panel makes buckets and keys here.
 */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { CloudsApi } from "../clouds";
import type { CertificateAuthority } from "../lab/ca";
import { Cdn } from "./cdn";
import { Door } from "./door";
import { type StoreKind, storeKinds, storeNames } from "./names";
import { ObjectStore } from "./store";

export { allRights, type BucketSettings, type CorsRule, type Right } from "./bucket";
export { Cdn, type CdnSite } from "./cdn";
export { Door, type Handler } from "./door";
export type { Hold, StoreFault } from "./faults";
export { publicUrl, r2Account, type StoreKind, storeKinds, storeNames } from "./names";
export type { Credentials } from "./sign";
export { ObjectStore, type StoredObject } from "./store";

export interface StoresOptions {
  /** Scratch folder; the stores' files go into `stores` there. */
  dir: string;
  ca: Pick<CertificateAuthority, "certificateFor" | "certPath">;
  /** Which stores. @default all */
  kinds?: readonly StoreKind[];
  /** Where they listen, port 443. @default 198.18.2.130 */
  address?: string;
}

/** Any name in these is led to the CDN. */
const cdnZones = ["cloudfront.net", "b-cdn.net", "cdn.example"];

export class Stores {
  private constructor(
    /** Their front door, on which others may serve further names. */
    readonly door: Door,
    /** The CDN of every vendor that has one. */
    readonly cdn: Cdn,
    private readonly all: Map<StoreKind, ObjectStore>,
  ) {}

  static async start(o: StoresOptions): Promise<Stores> {
    const door = await Door.open(o.address ?? "198.18.2.130", o.ca);
    const stores = new Map<StoreKind, ObjectStore>();
    for (const kind of o.kinds ?? storeKinds) {
      const dir = path.join(o.dir, "stores", kind);
      mkdirSync(dir, { recursive: true });
      const store = await ObjectStore.start(kind, dir);
      await door.serve([store.host, `*.${store.host}`], (req, res) => store.gate.handle(req, res));
      stores.set(kind, store);
    }
    return new Stores(door, new Cdn(door, readFileSync(o.ca.certPath, "utf8")), stores);
  }

  store(kind: StoreKind): ObjectStore {
    const store = this.all.get(kind);
    if (!store) throw new Error(`stores: "${kind}" was not started`);
    return store;
  }

  /** Puts their names into the lab's DNS, and those under which CDNs serve sites. */
  announce(api: CloudsApi): void {
    for (const host of [...[...this.all.keys()].map((kind) => storeNames[kind].host), ...cdnZones]) {
      const records = [host, `*.${host}`].map((name) => ({
        name,
        type: "A",
        content: this.door.address,
        ttl: 60,
      }));
      api.addZone({ provider: "cloudflare", name: host, records });
    }
  }

  async stop(): Promise<void> {
    await this.door.stop();
    for (const store of this.all.values()) await store.stop();
  }
}

export const startStores = (o: StoresOptions): Promise<Stores> => Stores.start(o);
