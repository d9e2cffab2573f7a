import type { Summary, Switch } from "./measure";

/** When and of what something was measured. */
export interface Stamp {
  at: string;
  commit: string;
  /** Load average of the machine before it began: what else ran. */
  busy: number;
}

/** What was found so far. A part that was not measured is not there. */
export interface Found {
  versions?: Record<string, string>;
  /** The switchover at each round trip, there and back. */
  pauses?: Pauses[];
  /** All contenders on the same hosts and load. */
  peers?: Peer[];
  seeding?: Seeding[];
  /** Ways to copy many small files to a bucket for the first time. */
  copying?: Copying[];
  /** Media by how many there are. */
  media?: Counted[];
  program?: Timed[];
  rehearsal?: Rehearsal[];
}

/** The document of `--json`. */
export interface Results extends Found {
  machine: Record<string, string>;
  versions: Record<string, string>;
  load: { clients: number; rate: number };
  /** Parts that failed or were stopped when they were last measured, with why. */
  failures: Record<string, string>;
}

export interface Measured {
  summary: Summary;
  switches: Switch[];
}

export interface Pauses extends Partial<Stamp> {
  rttMs: number;
  there: Measured;
  back: Measured;
}

export interface Peer extends Measured, Partial<Stamp> {
  name: string;
  how: string;
  rttMs: number;
}

/** One base backup by both ways. */
export interface Seeding extends Partial<Stamp> {
  link: string;
  rttMs: number;
  bytes: number;
  plainSeconds: number;
  tunnelSeconds: number;
  /** Rate through the tunnel, as a part of the plain one. */
  ratio: number;
}

/** One way to copy many small files, each time it was tried. */
export interface Copying extends Partial<Stamp> {
  way: string;
  /** Whose it is: the step's unit, rclone by itself, or a copy on the same disk, for comparison. */
  kind: "ours" | "rclone" | "disk";
  files: number;
  bytes: number;
  seconds: number[];
}

/** What it costs where so many files are there. */
export interface Counted extends Partial<Stamp> {
  files: number;
  /** Seconds until 100 new files are in the bucket, each time. */
  delta: number[];
  /** The same by `rclone copy` over everything. */
  rcloneSeconds: number;
  /** Accounting for all by their rows: time, and peak memory in KiB of the program and of what it starts, by name. */
  verify: { seconds: number; own: number; others: Record<string, number> };
}

/** How long one command took, each time it was run. */
export interface Timed extends Partial<Stamp> {
  command: string;
  seconds: number[];
  /** What it may take. */
  limit: number;
}

export interface Rehearsal extends Partial<Stamp> {
  size: string;
  seconds: number;
  /** `starting`: until the first step begins, the engine and the program start, and read both servers. */
  phases: { phase: string; seconds: number; starting: number; copying: number }[];
  /** All phases; of it, starting and copying; and all but the copying, which is ours. */
  moving: number;
  starting: number;
  copying: number;
  overhead: number;
  /** The rest as a part of the whole rehearsal. */
  share: number;
}

export const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
