/** What one rehearsal ends in: the document of `--json`, and all that the terminal and HTML reports are drawn from. */
export interface Report {
  /** Which migration: `live-move` or `object-storage`. */
  example: string;
  ok: boolean;
  /** One sentence for the reader, when `ok` alone does not say it all. @default - told from the figures */
  verdict?: string;
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
  seconds: number;
  phases: PhaseTime[];
  steps: StepTime[];
  /** Only where the data moved. */
  switchover?: Switchover;
  /** The way back, with `--back`. */
  back?: Switchover;
  clients: Clients;
  federation: Federation;
  /** The account of the media, where they moved to a bucket. */
  media?: MediaBooks;
  ledger: Ledger;
  /** The ledger after the way back. */
  backLedger?: Ledger;
  fault?: Accident;
  /** What was rehearsed on: label and value, in the order in which they are shown. */
  environment: Record<string, string>;
  /** Every request of the people in a window around each switch. */
  requests: RequestSample[];
}

/** Something broken on purpose. */
export interface Accident {
  name: string;
  title: string;
  /** What it led to, a sentence each. */
  story: string[];
  ending: string;
}

export interface PhaseTime {
  phase: string;
  seconds: number;
  /** Milliseconds since 1970. @default - one after the other */
  startedAt?: number;
}

export interface StepTime {
  name: string;
  host: string;
  seconds: number;
  /** `changed`, `unchanged`, or `failed`. */
  outcome: string;
  phase?: string;
  startedAt?: number;
}

export interface Switchover {
  /** How long writes to the database were held. */
  writePauseMs: number;
  redisPauseMs?: number;
  rttMs: number;
  writesPerSecond: number;
  /** When the pause began, in milliseconds since 1970: the middle of the latency plot. */
  at?: number;
  steps?: { n: number; name: string; ms: number }[];
}

export interface Clients {
  requests: number;
  /** Requests that came back as a network error or as 5xx, each try counted. */
  failed: number;
  /** Longest time that a person waited for one thing, retries included. */
  longestStallMs: number;
  /** The slowest requests, and in which phase they began. */
  slowest?: { ms: number; kind: string; phase: string; at: number }[];
  /** The same for the writes around the switch alone. */
  writeStallMs?: number;
  streams?: { clients: number; events: number; reconnects: number; longestGapMs: number };
}

export interface Federation {
  /** Activities of remote servers that our inbox accepted. */
  delivered: number;
  /** Activities lost for ever, because our inbox answered 4xx or 501. */
  dropped: number;
  /** Tries that were put off, by 5xx, time-out or network error. */
  retried: number;
  /** Activities of ours that arrived at the remote servers. */
  received?: number;
  /** Accepted by a retry still under way at the end. */
  pending?: number;
}

/** The kinds of thing that a ledger accounts for. */
export const kinds = ["statuses", "media", "follows", "jobs", "feeds", "deliveries"] as const;
export type Kind = (typeof kinds)[number];
export type Count = Record<Kind, number>;

/** The proof: what was acknowledged, and what of it is gone or there twice. */
export interface Ledger {
  ok: boolean;
  acknowledged: Count;
  lost: Count;
  duplicated: Count;
  tables: { compared: number; rows: number; different: string[] };
  mediaFiles: { compared: number; bytes: number; missing: number; different: number };
  sequences: { compared: number; behind: string[] };
  /** Losses of Redis's that a power cut of the server itself answers for: `12 when old lost power`. */
  excused?: string[];
  /** What is wrong, a line each, the first few of every kind. Empty when `ok`. */
  findings: string[];
}

/** What became of the media: all but the first two, and what was withheld, have to be 0. */
export interface MediaBooks {
  /** Objects in the bucket, and their bytes. */
  objects: number;
  bytes: number;
  /** Files that rows imply and the bucket does not have. */
  missing: number;
  /** Objects whose size, bytes, type or headers are not what they were or should be. */
  wrong: number;
  /** Links from before and after, as people and other servers fetched them all along, that did not lead to the file. */
  brokenLinks: number;
  /** Private files that anyone could read. */
  privateExposed: number;
  /** Private files that stay on the disk, because the store can't keep single objects private. */
  withheld: number;
  /** How often links were fetched. */
  linksFetched?: number;
  /** What is wrong, a line each, the first few of every kind. */
  findings: string[];
}

/** One request as a person saw it. */
export interface RequestSample {
  /** Start, in milliseconds since 1970. */
  t: number;
  ms: number;
  kind: string;
  ok: boolean;
  write: boolean;
}
