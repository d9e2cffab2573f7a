import type { Report } from "../report/model";
import type { Rehearsal } from "./results";

/** Steps whose time goes with the amount of data: the least that any move would take. */
const copying = new Set([
  "app/tree",
  "database/standby",
  "redis/replica",
  "media/copy",
  "media/finish",
  "backup/run",
  "backup/prove",
]);

/** Splits the time of a rehearsal, as its `--json` tells it, into copying and all the rest. */
export function splitRehearsal(
  report: Pick<Report, "phases" | "steps" | "seconds">,
  size: string,
): Rehearsal {
  const phases = report.phases.map(({ phase, seconds }) => {
    const steps = report.steps.filter((s) => s.phase === phase && copying.has(s.name));
    return { phase, seconds, copying: steps.reduce((n, s) => n + s.seconds, 0) };
  });
  const sum = (of: (p: (typeof phases)[number]) => number) => phases.reduce((n, p) => n + of(p), 0);
  const [moving, copied] = [sum((p) => p.seconds), sum((p) => p.copying)];
  const overhead = moving - copied;
  return {
    ...{ size, seconds: report.seconds, phases, moving, copying: copied, overhead },
    share: Math.round((overhead / report.seconds) * 1000) / 1000,
  };
}
