import { type Phase } from "./phase";
import type { Raw } from "./raw";

/**
 * Where a migration stands, told from the servers themselves and never from the stack: the furthest phase
 * that has left a trace. A trace counts even where the phase is not through, since whatever was begun has to
 * be undone on the way back.
 *
 * @param source undefined where it can't be reached.
 * @param target undefined where there is none yet, or it can't be reached.
 */
export function positionOf(source: Raw | undefined, target: Raw | undefined): Phase {
  if (source?.trunkline.retired) return "retire";
  if (dataOnTarget(source, target)) {
    if (!source && target && !hasUnit(target, "tunnel")) return "retire";
    return target?.trunkline.backup ? "settle" : "switch";
  }
  const t = source?.trunkline;
  if (!t) return "survey";
  if (t.proxy || t.appStopped || t.sidekiqQuiet) return "shift";
  if (t.roles.length || t.slots.length || t.hba || hasUnit(source, "agent")) return "replicate";
  if (t.keys.length || t.paths.length) return "prepare";
  return "survey";
}

/** Whether the data live on the target, or a switchover to it has begun that may not be taken for undone. */
export function dataOnTarget(source: Raw | undefined, target: Raw | undefined): boolean {
  const pg = source?.postgres;
  if (pg) {
    // A fence that was laid and never lifted: the switchover has to say which way it ends.
    return pg.role === "standby" || pg.standbySignal || followsTarget(source);
  }
  return Boolean(target?.trunkline.journal?.promoted && target.postgres?.role === "primary");
}

function followsTarget(source: Raw): boolean {
  return source.redis?.role === "replica" && source.trunkline.paths.length > 0;
}

/** Whether a unit of Trunkline, by a word of its name, is at work on a host. */
export function hasUnit(host: Raw, word: string): boolean {
  return Object.entries(host.trunkline.units).some(
    ([name, state]) => name.includes(word) && state !== "inactive" && state !== "not-found",
  );
}
