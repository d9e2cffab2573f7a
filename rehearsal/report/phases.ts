/** A phase can be gone through twice, there and back: which steps are whose, and how each is called. */
import type { PhaseTime, Report, StepTime } from "./model";

/** The steps of one pass through a phase: the last one of that name that had begun when they did. */
export function stepsOf({ phases, steps }: Pick<Report, "phases" | "steps">, p: PhaseTime): StepTime[] {
  const passes = phases.filter(({ phase }) => phase === p.phase);
  const passOf = ({ startedAt }: StepTime) =>
    [...passes].reverse().find((pass) => (pass.startedAt ?? 0) <= (startedAt ?? Infinity)) ?? passes[0];
  return steps.filter((s) => s.phase === p.phase && passOf(s) === p);
}

/** A phase's name; one that was there before is on the way back. */
export function titleOf({ phases }: Pick<Report, "phases">, p: PhaseTime): string {
  return phases.slice(0, phases.indexOf(p)).some(({ phase }) => phase === p.phase)
    ? `back: ${p.phase}`
    : p.phase;
}
