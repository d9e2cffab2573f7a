import type { Storage } from "../config";
import type { Estimate } from "./estimates";
import { planned } from "./plan";
import type { Media, Raw } from "./raw";
import type { StorageStep } from "./storage-plan";

const MiB = 1024 ** 2;
const GB = 1000 ** 3;

/**
 * Rates towards an object store: MiB/s, files/s (32 at once, some 60 ms each), keys/s of a list (1,000 a page),
 * MiB/s of reading the disk for checksums.
 */
const rate = { bytes: 40, files: 400, keys: 20_000, checksums: 150 };

export interface Price {
  /** USD for a GB stored for a month. */
  storage: number;
  /** USD for a million uploads, lists and the like; for a million downloads. */
  writes: number;
  reads: number;
  /** USD for a GB sent to the Internet past what is free. */
  egress: number;
  /** What is free or special about sending. */
  note: string;
  /** Month of the vendor's list that the prices are from. */
  date: string;
}

/** List prices of the standard class; taxes, discounts and free tiers left out. */
export const prices: Record<Exclude<Storage["store"], "other">, Price> = {
  s3: {
    ...{ storage: 0.023, writes: 5, reads: 0.4, egress: 0.09, date: "2026-05" },
    note: "through CloudFront the first TB a month is free, then 0.085 a GB",
  },
  r2: { storage: 0.015, writes: 4.5, reads: 0.36, egress: 0, note: "free", date: "2026-08" },
  b2: {
    ...{ storage: 0.006, writes: 0, reads: 0.4, egress: 0.01, date: "2026-04" },
    note: "free up to three times what is stored",
  },
};

/** What will be copied: all files, without cache/ where it is left out. */
export function amountOf(
  media: Media | null | undefined,
  storage: Pick<Storage, "cache">,
): { bytes: number; files: number } {
  const classes = Object.entries(media?.classes ?? {}).filter(([name]) => storage.cache || name !== "cache");
  return {
    bytes: classes.reduce((sum, [, c]) => sum + c.bytes, 0),
    files: classes.reduce((sum, [, c]) => sum + c.files, 0),
  };
}

/** How long each storage step will take, in the order given. */
export function storageEstimates(
  steps: StorageStep[],
  app: Raw | undefined,
  storage: Storage,
  rateMiB: number,
): Estimate[] {
  const { bytes, files } = amountOf(app?.media, storage);
  const speed = Math.min(rate.bytes, rateMiB || rate.bytes);
  const sampled = files ? (bytes / files) * Math.min(files, storage.sample) : 0;
  const work: Partial<Record<StorageStep, [seconds: number, because: string][]>> = {
    "storage/copy": [
      [bytes / MiB / speed, `${Math.ceil(bytes / MiB)} MiB at ${speed} MiB/s`],
      [files / rate.files, `${files} files at ${rate.files} files/s`],
    ],
    "storage/verify": [
      [
        files / rate.keys + sampled / MiB / rate.checksums,
        `${files} keys, checksums of ${Math.min(files, storage.sample)}`,
      ],
    ],
  };
  return steps.map((step) => {
    const base = planned(step).seconds;
    const [more, because] = (work[step] ?? []).sort(([a], [b]) => b - a)[0] ?? [0, ""];
    return { step, seconds: Math.ceil(base + more), because };
  });
}

export interface Cost {
  /** Requests that the copy and one verification make: an upload a file, a list of 1,000 keys a page, twice. */
  requests: number;
  /** USD, once and each month; undefined for a store whose prices nobody knows here. */
  once?: number;
  monthly?: number;
  note: string;
}

/** What the move and each month after it cost at list prices, as far as the store's are known. */
export function costOf(app: Raw | undefined, storage: Storage): Cost {
  const { bytes, files } = amountOf(app?.media, storage);
  const requests = files + 3 * Math.ceil(files / 1000);
  if (storage.store === "other") return { requests, note: "see the store's own prices" };
  const price = prices[storage.store];
  return {
    requests,
    once: (requests / 1e6) * price.writes,
    monthly: (bytes / GB) * price.storage,
    note: `the store's list of ${price.date}; sending to people: ${[...(price.egress ? [`${price.egress} USD a GB`] : []), price.note].join(", ")}`,
  };
}

/** A sum as people write it. */
export function usd(sum: number): string {
  if (sum > 0 && sum < 0.005) return "less than 0.01 USD";
  return `${sum < 0.995 ? sum.toFixed(2) : sum.toFixed(sum < 10 ? 1 : 0)} USD`;
}
