import type { ApiFault, Clouds } from "../clouds";
import type { Lab, LabHost } from "../lab";
import type { MediaWorld } from "../media";
import type { Run, Stack } from "../stack";

/** What a fault may reach for. It breaks the world, never the report. */
export interface FaultContext {
  lab: Lab;
  stack: Stack;
  /** The engine run that is to be disturbed. */
  run: Run;
  source: LabHost;
  /** The new server, once the cloud has booted it. */
  target(): LabHost;
  clouds: Clouds;
  /** The store that the media move to, in object-storage. */
  media?: MediaWorld;
  log(line: string): void;
}

export type { ApiFault };

/** One thing that goes wrong, in one phase. */
export interface Fault {
  /** What happens, in the words of an admin's bad night. */
  title: string;
  /** The phase whose `up` it strikes. */
  phase: "prepare" | "replicate" | "shift" | "switch" | "settle";
  /**
   * Breaks the world at its moment, and heals it: when the promise resolves, nothing is left in the way of a
   * plain second `up`. What the run then does by itself is the run's own affair.
   */
  strike(c: FaultContext): Promise<void>;
  /** The migration that it belongs to. @default "live-move" */
  example?: "object-storage";
  /** Whether the first run may (or must) fail; a fault that is ridden out says "no". @default "may" */
  fails?: "must" | "may" | "no";
  /** Size of the new server's disk, or where there is none of the instance's. @default - as much as the machine has */
  diskMiB?: number;
  /** What the failed run has to tell its user. */
  says?: RegExp;
}

/** Waits until a step of the program starts. */
export function stepStarts(c: FaultContext, name: string): Promise<unknown> {
  return c.run.when((e) => e.kind === "start" && e.name === name);
}

/** Waits on a host until a shell condition holds, looking every few milliseconds. */
export async function holds(host: LabHost, condition: string, seconds = 120): Promise<void> {
  const r = await host.sh(
    `end=$((SECONDS + ${seconds})); until ${condition}; do ((SECONDS < end)) || exit 9; sleep 0.005; done`,
    { timeoutMs: (seconds + 10) * 1000, allowFail: true },
  );
  if (r.code !== 0) throw new Error(`${host.name}: waited ${seconds} s for \`${condition}\`: ${r.stderr}`);
}

/** Waits until the switchover that is about to begin writes a line into its journal that fits (a grep pattern). */
export async function switchoverSays(c: FaultContext, pattern: string): Promise<void> {
  const journal = "/var/lib/trunkline/switchover.jsonl";
  // Earlier runs are in the journal too, so only lines from here on count.
  const lines = await c.target().sh(`wc -l <${journal}`, { allowFail: true });
  const from = Number(lines.stdout.trim() || 0) + 1;
  await stepStarts(c, "switchover/run");
  await holds(c.target(), `tail -n +${from} ${journal} 2>/dev/null | grep -q '${pattern}'`);
}
