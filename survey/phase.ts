/** How far a migration goes, in order. Each phase includes the ones before it. */
export const phases = ["survey", "prepare", "replicate", "shift", "switch", "settle", "retire"] as const;

export type Phase = (typeof phases)[number];

export function isPhase(text: string): text is Phase {
  return (phases as readonly string[]).includes(text);
}

/** Whether `at` is at or beyond `phase`. */
export function reached(at: Phase, phase: Phase): boolean {
  return phases.indexOf(at) >= phases.indexOf(phase);
}

/** Whether something wanted from phase `from` until (without) phase `until` is wanted in `phase`. */
export function wanted(phase: Phase, from: Phase, until?: Phase): boolean {
  return reached(phase, from) && !(until && reached(phase, until));
}

/** Names of those of a plan whose end turns in a run from phase `at` to `phase`, in the order in which it does. */
export function turning<Name extends string>(
  plan: Record<Name, { from: Phase; until?: Phase }>,
  at: Phase,
  phase: Phase,
): Name[] {
  const names = (Object.keys(plan) as Name[]).filter((name) => {
    const { from, until } = plan[name];
    return wanted(at, from, until) !== wanted(phase, from, until);
  });
  return reached(phase, at) ? names : names.reverse();
}
