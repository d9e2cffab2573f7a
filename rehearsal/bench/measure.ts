import type { Contender, Told } from "./contender";
import { check, Load, longestSilence, writesPerSecond } from "./load";
import type { Side, Site } from "./site";

/** The load of every switch that is measured. */
export const load = { clients: 20, rate: 1000 };
/** How long writes flow before the switch, and after it, in milliseconds. */
const flowing = 1_000;

/** One switch under load. */
export interface Switch extends Told {
  rttMs: number;
  /** The longest time in which no client was told that a write had been done. */
  silenceMs: number;
  /** The longest that one request took until it was acknowledged, failures and repetitions included. */
  waitMs: number;
  failed: number;
  lost: number;
  duplicated: number;
  acknowledged: number;
  writesPerSecond: number;
  /** From the command to its end. */
  seconds: number;
}

/** Makes `side` the primary while clients write, and looks for everything that was acknowledged to them. */
export async function measureSwitch(
  site: Site,
  contender: Contender,
  side: Side,
  rttMs: number,
): Promise<Switch> {
  const clients = await Load.start(site.target, contender.door, { ...load, flowing });
  const begun = Date.now();
  const told = await contender.switchTo(site, side);
  const seconds = (Date.now() - begun) / 1000;
  await clients.flows(flowing);
  const record = await clients.stop();
  const books = check(record, await found(site, side, clients.run));
  return {
    ...told,
    rttMs,
    silenceMs: round(longestSilence(record)),
    waitMs: round(record.longestWaitMs),
    ...books,
    writesPerSecond: writesPerSecond(record, begun - flowing, begun),
    seconds: round(seconds),
  };
}

async function found(site: Site, side: Side, run: number) {
  const counted = `SELECT client, seq, count(*) FROM bench_ledger WHERE run = ${run} GROUP BY 1, 2;`;
  const rows = (await site.sql(side, counted)).split("\n").filter(Boolean);
  const counter = Number(await site.sql(side, "SELECT v FROM bench_counter;"));
  return {
    counter,
    rows: rows.map((row) => {
      const [client, seq, times] = row.split("|").map(Number) as [number, number, number];
      return { client, seq, times };
    }),
  };
}

/** Figures of several switches of one kind. */
export interface Summary {
  runs: number;
  /** Of what clients saw. */
  silenceMs: Spread;
  waitMs: Spread;
  /** Of what the tool itself says, where it says something. */
  pauseMs?: Spread;
  redisPauseMs?: Spread;
  /** Median of each of its steps, in milliseconds. */
  steps: Record<string, number>;
  failed: number;
  lost: number;
  duplicated: number;
  acknowledged: number;
  writesPerSecond: number;
}

export interface Spread {
  median: number;
  max: number;
}

export function summary(switches: Switch[]): Summary {
  const sum = (of: (s: Switch) => number) => switches.reduce((n, s) => n + of(s), 0);
  const maybe = (of: (s: Switch) => number | undefined) => {
    const values = switches.map(of).filter((v) => v !== undefined);
    return values.length ? spread(values) : undefined;
  };
  return {
    runs: switches.length,
    silenceMs: spread(switches.map((s) => s.silenceMs)),
    waitMs: spread(switches.map((s) => s.waitMs)),
    pauseMs: maybe((s) => s.pauseMs),
    redisPauseMs: maybe((s) => s.redisPauseMs),
    steps: medians(switches.map((s) => s.steps ?? {})),
    failed: sum((s) => s.failed),
    lost: sum((s) => s.lost),
    duplicated: sum((s) => s.duplicated),
    acknowledged: sum((s) => s.acknowledged),
    writesPerSecond: Math.round(spread(switches.map((s) => s.writesPerSecond)).median),
  };
}

function medians(all: Record<string, number>[]): Record<string, number> {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))];
  const values = (name: string) => all.map((one) => one[name]).filter((v) => v !== undefined);
  return Object.fromEntries(names.map((name) => [name, spread(values(name)).median]));
}

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: round((at(Math.floor(middle)) + at(Math.ceil(middle))) / 2), max: at(sorted.length - 1) };
}

const round = (n: number) => Math.round(n * 10) / 10;
