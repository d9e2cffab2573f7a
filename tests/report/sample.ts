import type { Ledger, Report, RequestSample, Switchover } from "../../rehearsal/report";

export const switchedAt = Date.UTC(2026, 10, 20, 22, 14, 7);

const clean: Ledger = {
  ok: true,
  acknowledged: { statuses: 4210, media: 688, follows: 602, jobs: 19_344, feeds: 38_120, deliveries: 9877 },
  lost: { statuses: 0, media: 0, follows: 0, jobs: 0, feeds: 0, deliveries: 0 },
  duplicated: { statuses: 0, media: 0, follows: 0, jobs: 0, feeds: 0, deliveries: 0 },
  tables: { compared: 107, rows: 182_330, different: [] },
  mediaFiles: { compared: 7312, bytes: 412_000_000, missing: 0, different: 0 },
  sequences: { compared: 101, behind: [] },
  findings: [],
};

/** A whole report with requests that are the same each time. */
export function sample(o: Partial<Report> = {}): Report & { switchover: Switchover } {
  const phases = [
    { phase: "prepare", seconds: 71.2 },
    { phase: "replicate", seconds: 64.8 },
    { phase: "shift", seconds: 22.1 },
    { phase: "switch", seconds: 14.6 },
    { phase: "settle", seconds: 38.9 },
  ];
  let at = switchedAt - 160_000;
  return {
    example: "live-move",
    ok: true,
    startedAt: at,
    seconds: 244,
    phases: phases.map((p) => ({ ...p, startedAt: (at += p.seconds * 1000) - p.seconds * 1000 })),
    steps: steps(),
    switchover: {
      writePauseMs: 121.4,
      redisPauseMs: 24.2,
      rttMs: 10,
      writesPerSecond: 20.3,
      at: switchedAt,
      steps: [
        { n: 1, name: "pause", ms: 9.1 },
        { n: 2, name: "fence the old primary", ms: 61.4 },
        { n: 3, name: "replay to the last byte", ms: 11.8 },
        { n: 4, name: "promote", ms: 33.2 },
        { n: 5, name: "resume", ms: 5.9 },
      ],
    },
    clients: {
      requests: 31_204,
      failed: 0,
      longestStallMs: 162,
      streams: { clients: 14, events: 9120, reconnects: 0, longestGapMs: 0 },
    },
    federation: { delivered: 731, dropped: 0, retried: 2, received: 2210, pending: 0 },
    ledger: clean,
    environment: {
      machine: "2 cores, 23 GiB",
      "round trip": "10 ms",
      size: "small",
      Postgres: "15.13",
      Mastodon: "4.5.15",
    },
    requests: requests(),
    ...o,
  };
}

/** The same rehearsal gone wrong: failed requests, things lost, a table that differs. */
export function broken(): Report {
  const ledger: Ledger = {
    ...clean,
    ok: false,
    lost: { ...clean.lost, statuses: 2, jobs: 1 },
    duplicated: { ...clean.duplicated, deliveries: 1 },
    tables: { ...clean.tables, different: ["public.follows"] },
    findings: [
      "status lost: 1160 (22:14:07.101): no such row",
      "table differs: public.follows on <new> & old",
    ],
  };
  const failing = requests().map((r, i) => ({ ...r, ok: i % 40 !== 0 }));
  const clients = { requests: 31_204, failed: 13, longestStallMs: 8162 };
  return sample({ ok: false, ledger, clients, requests: failing });
}

/** Fifty requests a second for fourteen seconds; writes that meet the pause wait for its end. */
export function requests(): RequestSample[] {
  const random = lcg(7);
  return Array.from({ length: 700 }, (_, i) => {
    const t = switchedAt - 7000 + i * 20 + random() * 15;
    const write = random() < 0.4;
    const waits = t > switchedAt && t < switchedAt + 121 ? switchedAt + 121 - t : 0;
    const ms = 5 + 14 * random() ** 3 * (write ? 3 : 1) + waits;
    return { t, ms, kind: write ? "post" : "home", ok: true, write };
  });
}

function steps(): Report["steps"] {
  const names: [string, string, string, number][] = [
    ["access/grant", "source", "prepare", 0.9],
    ["host/base", "target", "prepare", 21.4],
    ["app/tree", "target", "prepare", 18.3],
    ["app/secrets", "target", "prepare", 1.2],
    ["web/site", "target", "prepare", 2.2],
    ["database/publish", "source", "replicate", 1.1],
    ["tunnel/up", "target", "replicate", 2.3],
    ["database/standby", "target", "replicate", 24.2],
    ["redis/replica", "target", "replicate", 1.9],
    ["media/copy", "target", "replicate", 26.1],
    ["app/serve", "target", "shift", 8.9],
    ["sidekiq/quiet", "source", "shift", 2.0],
    ["web/proxy", "source", "shift", 1.4],
    ["switchover/run", "target", "switch", 5.2],
    ["switchover/check", "target", "switch", 1.4],
    ["backup/run", "target", "settle", 19.5],
    ["backup/prove", "target", "settle", 14.2],
  ];
  return names.map(([name, host, phase, seconds]) => ({ name, host, phase, seconds, outcome: "changed" }));
}

function lcg(seed: number): () => number {
  let x = seed;
  return () => (x = (x * 1103515245 + 12345) % 2147483648) / 2147483648;
}
