import type { Fault } from "../faults";
import type { Options } from "../options";
import type { Timeline } from "../timeline";
import type { Accident, Report } from "./model";

/** What `--json` says of a rehearsal that came to no end: how far it was, and why it ended. No books were drawn up. */
export type BrokenOff = Pick<Report, "example" | "startedAt" | "seconds" | "phases" | "steps"> & {
  ok: false;
  verdict: string;
  fault?: Pick<Accident, "name" | "title">;
};

/** @param why what was thrown */
export function brokenOff(
  { example, fault: name }: Options,
  { startedAt, phases, steps }: Timeline,
  fault: Fault | undefined,
  why: unknown,
): BrokenOff {
  const since = (t: number) => (Date.now() - t) / 1000;
  return {
    ...{ example, ok: false, verdict: why instanceof Error ? why.message : String(why) },
    ...{ startedAt, seconds: since(startedAt) },
    phases: phases.map((p) => ({ ...p, seconds: p.seconds || since(p.startedAt ?? startedAt) })),
    steps,
    fault: name && fault ? { name, title: fault.title } : undefined,
  };
}
