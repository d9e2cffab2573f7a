import type { Seen } from "./finding";
import { reached } from "./phase";
import { hasUnit, positionOf } from "./position";
import type { Raw } from "./raw";

/** What a busy server did not tell in time, of the parts whose gap looks as if they were not there or were down. */
export function slowGaps(raw: Raw | undefined): Raw["unread"] {
  return (raw?.unread ?? []).filter(
    ({ what, why }) =>
      /took longer/.test(why) && /^(units|mastodon|postgres|redis|nginx|whether|Docker Compose)\b/.test(what),
  );
}

/**
 * What is not up yet and worth waiting for, in words: databases that are on their way, a server too busy to be read, and
 * one that takes part already, which may be booting. Another one that can't be reached may as well be a wrong address: that is told at once.
 */
export function awaited(seen: Pick<Seen, "migration" | "source" | "target" | "unreachable">): string[] {
  const { migration, source, target, unreachable } = seen;
  const at = positionOf(source, undefined);
  const takesPart = {
    source: !!target && hasUnit(target, "tunnel") && !migration.accepted.includes("source-unreachable"),
    target: reached(at, "replicate") && at !== "retire",
  };
  const gone = (["source", "target"] as const).filter((side) => unreachable[side] && takesPart[side]);
  return [
    ...gone.map((side) => `the ${side} to be reached`),
    ...[source, target].flatMap((h) =>
      (h?.starting ?? []).map((part) => `${part} on the ${h?.side} ${h?.host.name} to answer`),
    ),
    ...[source, target]
      .filter((h) => slowGaps(h).length)
      .map((h) => `the ${h?.side} ${h?.host.name} to have time for the survey`),
  ];
}
