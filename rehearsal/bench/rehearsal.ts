import { planned, type StepName } from "../../survey/plan";
import type { Report } from "../report/model";
import type { Rehearsal } from "./results";

/** Steps whose time goes with the amount of data: the least that any move would take. */
const copying: StepName[] = [
  ...(["app/tree", "database/standby", "redis/replica"] as const),
  ...(["media/copy", "media/follow", "media/finish"] as const),
  ...(["backup/run", "backup/prove"] as const),
];

/** Splits the time of a rehearsal, as its `--json` tells it, into copying and all the rest. */
export function splitRehearsal(
  report: Pick<Report, "phases" | "steps" | "seconds">,
  size: string,
): Rehearsal {
  const phases = report.phases.map(({ phase, seconds, startedAt = 0 }) => {
    const steps = report.steps.filter((s) => s.phase === phase);
    // Where its end is not wanted, or no longer, such a step copies nothing.
    const copies = steps.filter((s) =>
      copying.some((name) => name === s.name && planned(name).from === phase),
    );
    const first = Math.min(...steps.map((s) => s.startedAt ?? startedAt));
    const starting = steps.length ? (first - startedAt) / 1000 : 0;
    return { phase, seconds, starting, copying: copies.reduce((n, s) => n + s.seconds, 0) };
  });
  const sum = (of: (p: (typeof phases)[number]) => number) => phases.reduce((n, p) => n + of(p), 0);
  const [moving, copied] = [sum((p) => p.seconds), sum((p) => p.copying)];
  const overhead = moving - copied;
  return {
    ...{ size, seconds: report.seconds, phases, moving, copying: copied, overhead },
    starting: sum((p) => p.starting),
    share: Math.round((overhead / report.seconds) * 1000) / 1000,
  };
}
