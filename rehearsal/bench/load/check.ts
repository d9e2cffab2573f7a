import type { LoadRecord } from "./record";

/** What the survivor holds of one run of the load. */
export interface Found {
  rows: { client: number; seq: number; times: number }[];
  counter: number;
}

/** The books of one run: every acknowledged write, looked for on the server that serves now. */
export interface Books {
  acknowledged: number;
  failed: number;
  lost: number;
  duplicated: number;
}

/** Counts what was acknowledged and is gone, and what is there twice. */
export function check(record: LoadRecord, found: Found): Books {
  const times = new Map(found.rows.map((r) => [`${r.client}/${r.seq}`, r.times]));
  let acknowledged = record.counts.length;
  let lost = record.counts.filter((c) => c.value > found.counter).length;
  for (const { client, from, to } of record.appends)
    for (let seq = from; seq <= to; seq++) {
      acknowledged++;
      if (!times.has(`${client}/${seq}`)) lost++;
    }
  // A value of the counter that two were told means that two servers counted.
  const repeated = record.counts.length - new Set(record.counts.map((c) => c.value)).size;
  const duplicated = repeated + found.rows.filter((r) => r.times > 1).length;
  return { acknowledged, failed: record.failed.length, lost, duplicated };
}

/** All moments at which anything was acknowledged, in order. */
export function moments(record: LoadRecord): number[] {
  return [...record.appends, ...record.counts].map((a) => a.at).sort((a, b) => a - b);
}

/** The longest time without any acknowledged write at all, in milliseconds. */
export function longestSilence(record: LoadRecord): number {
  const at = moments(record);
  return at.reduce((longest, t, i) => Math.max(longest, t - (at[i - 1] ?? t)), 0);
}

/** Rows and counts acknowledged per second, between two moments. */
export function writesPerSecond(record: LoadRecord, from: number, to: number): number {
  const within = (a: { at: number }) => a.at >= from && a.at < to;
  const rows = record.appends.filter(within).reduce((n, a) => n + a.to - a.from + 1, 0);
  return Math.round(((rows + record.counts.filter(within).length) * 1000) / (to - from));
}
