import type { Migration } from "../config";
import type { Seen } from "./finding";
import { wayOf } from "./install";
import { reached } from "./phase";
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
export function estimatesOf(steps: StepName[], seen: Known): Estimate[] {
  return steps.map((step) => ({ step, ...estimate(step, seen) }));
}

type Known = Pick<Seen, "source" | "target" | "migration">;

function estimate(step: StepName, seen: Known): Omit<Estimate, "step"> {
  const { source, migration: m } = seen;
  const base = planned(step).seconds;
  // A guess, not measured: it hangs on the cores, and no size of the source tells it.
  if (step === "app/tree" && wayOf(seen) === "official")
    return { seconds: 1800, because: "Ruby is compiled, gems and assets are built" };
  const work = workOf(source, m.copyRateMiB || Infinity)[step] ?? [];
  const parts = work.map(({ amount, perSecond, unit }) => ({
    seconds: Math.ceil(base + amount / perSecond),
    because: `${Math.ceil(amount)} ${unit} at ${perSecond} ${unit}/s`,
  }));
  return parts.sort((a, b) => b.seconds - a.seconds)[0] ?? { seconds: base, because: "" };
}

interface Work {
  amount: number;
  perSecond: number;
  unit: "MiB" | "files";
}

/** What each step has to get through; where there is more than one measure, the slower counts. */
function workOf(source: Raw | undefined, limit: number): Partial<Record<StepName, Work[]>> {
  const mib = (bytes: number | null | undefined, perSecond: number): Work => ({
    ...{ amount: (bytes ?? 0) / MiB, perSecond, unit: "MiB" },
  });
  const files = Math.min(rate.files, limit);
  const database = source?.postgres?.clusterBytes ?? 0;
  const media = source?.media?.store === "local" ? source.media : null;
  return {
    "app/tree": [mib(source?.mastodon?.appBytes, files)],
    "database/standby": [mib(database, Math.min(rate.stream, limit))],
    "database/check": [mib(database * 0.3, rate.check)],
    "redis/replica": [mib(source?.redis?.usedBytes, rate.stream)],
    "media/copy": [
      mib(media?.bytes, files),
      { amount: media?.files ?? 0, perSecond: rate.filesPerSecond, unit: "files" },
    ],
    "backup/run": [mib(database, rate.backup)],
    "backup/prove": [mib(database, rate.backup)],
  };
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
 * How long writes will wait in the switchover: two round trips, the drain of what is under way (a statement
 * or two over the tunnel), 80 ms of shutdown and promotion, and what slow disks and pages dirtied since the
 * checkpoint add to that.
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

/**
 * The role that the source's Postgres has where the data have yet to move in a run, so that a pause is foretold: only then
 * is the rate of its WAL worth the second that it takes. To `survey` it is either, since there the whole way is shown.
 */
export function rolesThatMove({ phase, target }: Pick<Migration, "phase" | "target">): string[] {
  if (target.provider === "none") return [];
  if (phase === "survey") return ["primary", "standby"];
  return [reached(phase, "switch") ? "primary" : "standby"];
}

/** Mean time of a flush of the disk under the database, as far as known. */
function flushOf(host: Raw | undefined): number {
  const dir = host?.postgres?.dataDir ?? "/";
  const disk = host?.disks
    .filter((d) => dir.startsWith(d.mount))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
  return disk?.flushMs ?? 1;
}
