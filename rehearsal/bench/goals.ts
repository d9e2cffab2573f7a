import { mediaGoals as media } from "./media/figures";
import type { Results } from "./results";

/** One figure to reach, and whether it was. */
export interface Goal {
  what: string;
  wanted: string;
  found: string;
  reached: boolean;
}

/** Write pause in milliseconds by round trip; others are held to none. */
const medianGoal: Record<number, number> = { 1: 150, 20: 150, 80: 260 };
const worst = 400;
export const backGoal = 150;
const shorter = 10;
export const seedingGoal = 0.8;
export const overheadGoal = 0.25;

/** What of the figures asked for this run reached. Only what it measured. */
export function goals(r: Results): Goal[] {
  return [...pauses(r), ...peers(r), ...seeding(r), ...media(r), ...program(r), ...rehearsal(r)];
}

function pauses(r: Results): Goal[] {
  return (r.pauses ?? []).flatMap(({ rttMs, there, back }) => {
    const pause = there.summary.pauseMs ?? { median: NaN, max: NaN };
    const returned = back.summary.pauseMs ?? { median: NaN, max: NaN };
    const limit = medianGoal[rttMs];
    const bad = [there, back].map(({ summary: s }) => s.failed + s.lost + s.duplicated);
    const at = `at ${rttMs} ms`;
    const runs = `, ${there.summary.runs} runs`;
    return [
      ...(limit ? [most(`write pause ${at}, median${runs}`, pause.median, limit)] : []),
      most(`write pause ${at}, longest${runs}`, pause.max, worst),
      most(`way back ${at}, median${runs}`, returned.median, backGoal),
      none(`requests failed, writes lost or duplicated ${at}`, bad[0]! + bad[1]!),
    ];
  });
}

/** The best of the others is the one with the shortest silence among those that lost and duplicated nothing. */
export function bestOther(r: Results, rttMs: number) {
  const safe = (r.peers ?? []).filter(
    (p) => p.rttMs === rttMs && !isOurs(p) && !p.summary.lost && !p.summary.duplicated,
  );
  return safe.sort((a, b) => a.summary.silenceMs.median - b.summary.silenceMs.median)[0];
}

export const isOurs = (p: { name: string }) => p.name === "Trunkline";

function peers(r: Results): Goal[] {
  return (r.peers ?? []).filter(isOurs).flatMap((ours) => {
    const best = bestOther(r, ours.rttMs);
    if (!best) return [];
    const times = best.summary.silenceMs.median / ours.summary.silenceMs.median;
    const what = `shorter than the best of the others that lose nothing (${best.name}) at ${ours.rttMs} ms`;
    return [
      { what, wanted: `${shorter} times`, found: `${times.toFixed(0)} times`, reached: times >= shorter },
    ];
  });
}

function seeding(r: Results): Goal[] {
  return (r.seeding ?? []).map((s) => ({
    what: `base backup through the tunnel against plain TCP, ${s.link}, ${s.rttMs} ms`,
    wanted: `at least ${percent(seedingGoal)}`,
    found: percent(s.ratio),
    reached: s.ratio >= seedingGoal,
  }));
}

function program(r: Results): Goal[] {
  return (r.program ?? []).map((t) => {
    const longest = Math.max(...t.seconds);
    const wanted = `at most ${t.limit} s`;
    return { what: t.command, wanted, found: `${longest.toFixed(1)} s`, reached: longest <= t.limit };
  });
}

function rehearsal(r: Results): Goal[] {
  const wanted = `at most ${percent(overheadGoal)} of it`;
  return (r.rehearsal ?? []).map(({ size, share }) => {
    const what = `our own overhead in a rehearsal of size ${size}`;
    return { what, wanted, found: percent(share), reached: share <= overheadGoal };
  });
}

const most = (what: string, found: number, limit: number): Goal => ({
  ...{ what, wanted: `at most ${limit} ms`, found: `${found.toFixed(0)} ms`, reached: found <= limit },
});
const none = (what: string, found: number): Goal => ({
  what,
  wanted: "0",
  found: String(found),
  reached: !found,
});
export const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
