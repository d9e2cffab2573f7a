/**
 * The object stores of the lab: a real S3 server for each vendor, under the vendor's own names, with what that vendor does
 * differently. Whoever plays a vendor's control panel makes buckets and keys here.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { CloudsApi } from "../clouds";
import type { CertificateAuthority } from "../lab/ca";
import { Door } from "./door";
import { type StoreKind, storeKinds, storeNames } from "./names";
import { ObjectStore } from "./store";

export { allRights, type BucketSettings, type CorsRule, type Right } from "./bucket";
export { Door, type Handler } from "./door";
export type { StoreFault } from "./faults";
export { publicUrl, r2Account, type StoreKind, storeKinds, storeNames } from "./names";
export type { Credentials } from "./sign";
export { ObjectStore, type StoredObject } from "./store";

export interface StoresOptions {
  /** Scratch folder; the stores' files go into `stores` there. */
  dir: string;
  ca: Pick<CertificateAuthority, "certificateFor">;
  /** Which stores. @default all */
  kinds?: readonly StoreKind[];
  /** Where they listen, port 443. @default 198.18.2.130 */
  address?: string;
}

export class Stores {
  private constructor(
    /** Their front door, on which others may serve further names. */
    readonly door: Door,
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
    return new Stores(door, stores);
  }

  store(kind: StoreKind): ObjectStore {
    const store = this.all.get(kind);
    if (!store) throw new Error(`stores: "${kind}" was not started`);
    return store;
  }

  /** Puts their names into the lab's DNS. */
  announce(api: CloudsApi): void {
    for (const kind of this.all.keys()) {
      const { host } = storeNames[kind];
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
