import type { Migration } from "../config";
import type { Seen } from "./finding";
import { planned, type StepName } from "./plan";
import type { Raw } from "./raw";

const MiB = 1024 ** 2;

/** Rates in MiB/s through one SSH connection between two clouds; small files cost more than bytes. */
const rate = { stream: 60, files: 40, filesPerSecond: 400, check: 80, backup: 60 };

export interface Estimate {
  step: StepName;
  seconds: number;
  /** What the time depends on, for the reader; empty if on nothing. */
  because: string;
}

/** How long each step will take, in the order given. */
export function estimatesOf(steps: StepName[], source: Raw | undefined, migration: Migration): Estimate[] {
  return steps.map((step) => ({ step, ...estimate(step, source, migration) }));
}

function estimate(
  step: StepName,
  source: Raw | undefined,
  m: Migration,
): { seconds: number; because: string } {
  const database = (source?.postgres?.clusterBytes ?? 0) / MiB;
  const redis = (source?.redis?.usedBytes ?? 0) / MiB;
  const app = (source?.mastodon?.appBytes ?? 0) / MiB;
  const media = source?.media?.store === "local" ? (source.media.bytes ?? 0) / MiB : 0;
  const files = source?.media?.store === "local" ? (source.media.files ?? 0) : 0;
  const limited = (r: number) => Math.min(r, m.copyRateMiB || r);
  const base = planned(step).seconds;
  const of = (mib: number, r: number) => ({
    seconds: Math.ceil(base + mib / r),
    because: `${Math.ceil(mib)} MiB at ${r} MiB/s`,
  });
  switch (step) {
    case "app/tree":
      return of(app, limited(rate.files));
    case "database/standby":
      return of(database, rate.stream);
    case "database/check":
      return of(database * 0.3, rate.check);
    case "redis/replica":
      return of(redis, rate.stream);
    case "media/copy": {
      const byBytes = of(media, limited(rate.files));
      const byFiles = Math.ceil(base + files / rate.filesPerSecond);
      return byFiles > byBytes.seconds
        ? { seconds: byFiles, because: `${files} files at ${rate.filesPerSecond}/s` }
        : byBytes;
    }
    case "backup/run":
    case "backup/prove":
      return of(database, rate.backup);
    default:
      return { seconds: base, because: "" };
  }
}

export interface Pause {
  ms: number;
  rttMs: number;
  /** What it is made of, for the reader. */
  because: string;
  /** The round trip is that between source and target, not a stand-in. */
  measured: boolean;
}

/**
 * How long writes will wait in the switchover: two round trips, the drain of what is under way (a statement or two over the
 * tunnel), 80 ms of shutdown and promotion, and what slow disks and pages dirtied since the checkpoint add to that.
 *
 * @param ownRttMs this machine's round trip to the source, used until the target is there to measure its own.
 */
export function pauseOf(seen: Pick<Seen, "source" | "target">, ownRttMs: number): Pause {
  const measured = seen.target?.peer?.rttMs ?? null;
  const rttMs = measured ?? ownRttMs;
  const drain = Math.max(5, rttMs);
  const flush = Math.max(0, flushOf(seen.source) + flushOf(seen.target) - 2) * 6;
  const dirty = (((seen.source?.postgres?.walBytesPerSecond ?? 0) * 2 * 2) / MiB) * 0.75;
  const ms = Math.round(2 * rttMs + drain + 80 + flush + dirty);
  const parts = [
    `2 round trips of ${rttMs.toFixed(1)} ms`,
    `drain ${Math.round(drain)} ms`,
    "shutdown and promotion 80 ms",
    ...(flush >= 1 ? [`slow disks ${Math.round(flush)} ms`] : []),
    ...(dirty >= 1 ? [`dirty pages ${Math.round(dirty)} ms`] : []),
  ];
  return { ms, rttMs, because: parts.join(" + "), measured: measured !== null };
}

/** Mean time of a flush of the disk under the database, as far as known. */
function flushOf(host: Raw | undefined): number {
  const dir = host?.postgres?.dataDir ?? "/";
  const disk = host?.disks
    .filter((d) => dir.startsWith(d.mount))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
  return disk?.flushMs ?? 1;
}
