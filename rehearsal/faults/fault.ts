import { closeSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import type { ApiFault, Clouds } from "../clouds";
import type { Lab, LabHost } from "../lab";
import type { MediaWorld } from "../media";
import type { Run, Stack } from "../stack";

/** What a fault may reach for. It breaks the world, never the report. */
export interface Scene {
  lab: Lab;
  stack: Stack;
  source: LabHost;
  /** The new server, once the cloud has booted it. */
  target(): LabHost;
  clouds: Clouds;
  /** The store that the media move to, in object-storage. */
  media?: MediaWorld;
  /** A second operator's stack for the same instance, with a state of its own. */
  otherStack(): Promise<Stack>;
  log(line: string): void;
}

export interface FaultContext extends Scene {
  /** The engine run that is to be disturbed. */
  run: Run;
}

export type { ApiFault };

/** One thing that goes wrong, in one phase. */
export interface Fault {
  /** What happens, in the words of an admin's bad night. */
  title: string;
  /** The phase whose `up` it strikes. */
  phase: "prepare" | "replicate" | "shift" | "switch" | "settle";
  /** It can strike on the way back from that phase as well. @default false */
  eitherWay?: boolean;
  /** What is amiss before the run starts. @default - nothing */
  before?(c: Scene): Promise<void>;
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

/**
 * Waits until the switchover that is about to begin writes into its journal that it takes a step. The file is read
 * from this side: entering the host would take longer than the step.
 */
export async function switchoverTakes(c: FaultContext, step: string | number): Promise<void> {
  const journal = path.join(c.target().rootfs, "var/lib/trunkline/switchover.jsonl");
  const sign = typeof step === "number" ? `"n": ${step},` : `"name": "${step}"`;
  const size = () => statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
  const from = size(); // earlier runs are in it too
  let over = false;
  void c.run.done.then(() => (over = true));
  while (!textFrom(journal, from, size()).includes(sign)) {
    if (over) throw new Error(`the run ended before the switchover took its step ${step}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function textFrom(file: string, from: number, to: number): string {
  if (to <= from) return "";
  const [handle, text] = [openSync(file, "r"), Buffer.alloc(to - from)];
  try {
    return text.toString("utf8", 0, readSync(handle, text, 0, text.length, from));
  } finally {
    closeSync(handle);
  }
}
