/** What stands behind the clouds' buckets and CDNs: the lab's own stores, or memory for tests of the APIs alone. */
import { randomBytes } from "node:crypto";
import type { BucketSettings, Credentials, Right } from "../stores";

export type Vendor = "s3" | "r2" | "b2";

/** One vendor's store, as the vendor's control panel uses it. */
export interface VendorStore {
  /** Where objects are read by those who may read everything. */
  readonly origin: string;
  makeBucket(name: string, settings?: Partial<BucketSettings>): Promise<void>;
  configure(name: string, settings: Partial<BucketSettings>): Promise<void>;
  hasBucket(name: string): boolean;
  deleteBucket(name: string): Promise<void>;
  makeKey(o: { bucket?: string; rights?: Right[]; credentials?: Credentials }): Promise<Credentials>;
  deleteKey(accessKey: string): Promise<void>;
}

/** A CDN's site, as it was configured at its vendor. */
export interface CdnSite {
  origin: string;
  /** Seconds for which answers are kept that say nothing of it themselves, by status. */
  keepSeconds?: Record<number, number>;
  headers?: Record<string, string>;
}

export interface StoreSide {
  store(vendor: Vendor): VendorStore;
  cdn: {
    readonly address: string;
    serve(names: string[], site: CdnSite): Promise<void>;
    forget(name: string): void;
  };
}

/** A store in memory: it knows its buckets and keys, and refuses what is not there. */
export class MemoryStore implements VendorStore {
  readonly origin = "http://127.0.0.1:1";
  readonly buckets = new Map<string, Partial<BucketSettings>>();
  readonly keys = new Map<string, { bucket?: string; rights?: Right[]; secretKey: string }>();

  async makeBucket(name: string, settings: Partial<BucketSettings> = {}): Promise<void> {
    this.buckets.set(name, { ...settings });
  }

  async configure(name: string, settings: Partial<BucketSettings>): Promise<void> {
    Object.assign(this.bucket(name), settings);
  }

  hasBucket(name: string): boolean {
    return this.buckets.has(name);
  }

  async deleteBucket(name: string): Promise<void> {
    this.bucket(name);
    this.buckets.delete(name);
  }

  async makeKey(o: { bucket?: string; rights?: Right[]; credentials?: Credentials }): Promise<Credentials> {
    const hex = (n: number) => randomBytes(n).toString("hex");
    const { accessKey, secretKey } = o.credentials ?? { accessKey: hex(10), secretKey: hex(20) };
    this.keys.set(accessKey, { bucket: o.bucket, rights: o.rights, secretKey });
    return { accessKey, secretKey };
  }

  async deleteKey(accessKey: string): Promise<void> {
    if (!this.keys.delete(accessKey)) throw new Error(`no key ${accessKey}`);
  }

  private bucket(name: string): Partial<BucketSettings> {
    const found = this.buckets.get(name);
    if (!found) throw new Error(`no bucket ${name}`);
    return found;
  }
}

/** Stores and a CDN that are only books. */
export class Memory implements StoreSide {
  private readonly stores = { s3: new MemoryStore(), r2: new MemoryStore(), b2: new MemoryStore() };
  readonly sites = new Map<string, CdnSite>();
  readonly cdn = {
    address: "198.18.2.140",
    serve: async (names: string[], site: CdnSite): Promise<void> => {
      for (const name of names) this.sites.set(name, site);
    },
    forget: (name: string): void => void this.sites.delete(name),
  };

  store(vendor: Vendor): MemoryStore {
    return this.stores[vendor];
  }
}
