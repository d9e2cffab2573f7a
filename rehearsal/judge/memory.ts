import type { Excuse } from "./account";
import { type Host, lines, type Place, Site } from "./site";

/** When a host had no power, in milliseconds of the wall clock. */
export interface Outage {
  from: number;
  to: number;
}

/**
 * What power cuts of a host answer for. A Redis without a log, as Debian ships it, comes up as it was at its last
 * snapshot, and says how old that is. One that comes up as a replica gets everything from its primary: no excuse.
 */
export async function forgotten(host: Host, outages: readonly Outage[], place?: Place): Promise<Excuse[]> {
  if (outages.length === 0) return [];
  const site = new Site(host, place);
  const log = await site.redisLog();
  const logged = lines(await site.redis(["CONFIG", "GET", "appendonly"]))[1] === "yes";
  return outages.flatMap(({ from, to }) => {
    const start = startAfter(log, from);
    if (start?.role === "S") return [];
    const lost = logged ? from : (start?.snapshot ?? from);
    return [{ from: lost - inHandMs, to, why: `of what Redis alone knew when ${host.name} lost its power` }];
  });
}

/** A job waits for so long, or is in hand; one that waited at the snapshot and was done after it is done again. */
const inHandMs = 10_000;

interface Start {
  /** M: primary, S: replica. */
  role: string;
  /** When what it came up with was taken; 0 where there was nothing. */
  snapshot: number;
}

/** The first start that a Redis' log tells of after a moment: `812:M 21 Nov 2026 10:33:35.123 * RDB age 23 seconds`. */
function startAfter(log: string, moment: number): Start | undefined {
  let snapshot = 0;
  for (const line of lines(log)) {
    const [, role = "", at = "", said = ""] = /^\d+:(\w) (\d+ \w+ \d+ [\d:.]+) \S (.*)/.exec(line) ?? [];
    const t = Date.parse(`${at} UTC`);
    if (!(t >= moment)) continue;
    const age = /^RDB age (\d+) seconds/.exec(said)?.[1];
    // Both of its times are whole seconds.
    if (age) snapshot = Math.floor(t / 1000) * 1000 - Number(age) * 1000;
    if (/ready to accept connections/i.test(said)) return { role, snapshot };
  }
  return undefined;
}
