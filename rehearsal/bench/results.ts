import type { Summary, Switch } from "./measure";

/** The document of `--json`: what one run of the benchmark found. A part that was not asked for is not there. */
export interface Results {
  at: string;
  commit: string;
  machine: Record<string, string>;
  versions: Record<string, string>;
  load: { clients: number; rate: number };
  /** The switchover at each round trip, there and back. */
  pauses?: { rttMs: number; there: Measured; back: Measured }[];
  /** All contenders on the same hosts and load. */
  peers?: ({ name: string; how: string; rttMs: number } & Measured)[];
  seeding?: Seeding[];
  program?: Timed[];
  rehearsal?: Rehearsal;
  /** Parts that failed, with why. */
  failures: Record<string, string>;
}

export interface Measured {
  summary: Summary;
  switches: Switch[];
}

/** One base backup by both ways. */
export interface Seeding {
  link: string;
  rttMs: number;
  bytes: number;
  plainSeconds: number;
  tunnelSeconds: number;
  /** Rate through the tunnel, as a part of the plain one. */
  ratio: number;
}

/** How long one command took, each time it was run. */
export interface Timed {
  command: string;
  seconds: number[];
  /** What it may take. */
  limit: number;
}

export interface Rehearsal {
  size: string;
  seconds: number;
  phases: { phase: string; seconds: number; copying: number }[];
  /** All phases; of it, copying; and the rest, which is ours. */
  moving: number;
  copying: number;
  overhead: number;
  /** The rest as a part of the whole rehearsal. */
  share: number;
}

export const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
