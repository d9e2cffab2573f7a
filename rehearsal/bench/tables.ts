import { duration, whole } from "../report/format";
import { backGoal, bestOther, goals, isOurs, overheadGoal, percent, seedingGoal } from "./goals";
import { copyingTable, mediaTable } from "./media/figures";
import type { Spread, Summary } from "./measure";
import type { Measured, Rehearsal, Results } from "./results";

/** Figures as people read them; drawn for the terminal and for the page alike. */
export interface Table {
  title: string;
  /** What is measured, in a sentence or two. */
  about: string;
  head: string[];
  rows: string[][];
  notes: string[];
}

export function tables(r: Results): Table[] {
  const all = [
    reached(r),
    pauses(r),
    parts(r),
    peers(r),
    seeding(r),
    copyingTable(r),
    mediaTable(r),
    program(r),
  ];
  return [...all, ...(r.rehearsal ?? []).map(rehearsal)].filter((t) => t.rows.length);
}

function reached(r: Results): Table {
  return {
    title: "Figures to reach",
    about: "What was asked for, and what was found.",
    head: ["figure", "wanted", "found", ""],
    rows: goals(r).map((g) => [g.what, g.wanted, g.found, g.reached ? "reached" : "missed"]),
    notes: whyMissed(r),
  };
}

const spread = (s?: Spread) => (s ? `${s.median.toFixed(0)} / ${s.max.toFixed(0)}` : "–");
const books = (s: Summary) => [s.failed, s.lost, s.duplicated].map(whole);

/** Why a figure can't be reached, where that is so. */
function whyMissed(r: Results): string[] {
  const far = (r.pauses ?? []).filter((p) => 2 * p.rttMs >= backGoal);
  const slow = (r.rehearsal ?? []).filter((t) => t.share > overheadGoal);
  return [
    ...far.map(
      ({ rttMs }) =>
        `The way back at ${rttMs} ms can't be below ${2 * rttMs} ms: promoting the far server and the first write there are a round trip each.`,
    ),
    ...slow.map(
      ({ size, phases, starting, overhead, copying }) =>
        `A rehearsal of size ${size} has ${duration(copying)} of copying only. Of the ${duration(overhead)} of overhead ${duration(starting)} are ${phases.length} starts of the engine, the program and the survey. Next to none of it grows with the data: the more there is to move, the smaller its part.`,
    ),
  ];
}

function pauses(r: Results): Table {
  const row = (rttMs: number, direction: string, { summary: s }: Measured) => [
    ...[`${rttMs} ms`, direction, String(s.runs), spread(s.pauseMs), spread(s.silenceMs), spread(s.waitMs)],
    ...[spread(s.redisPauseMs), ...books(s), whole(s.acknowledged)],
  ];
  return {
    title: "Write pause of the switchover",
    about: `Postgres and Redis move while ${r.load.clients} clients make about ${r.load.rate} writes a second through PgBouncer. Milliseconds, median / longest.`,
    head: [
      ...["round trip", "direction", "runs", "pause", "silence", "longest wait"],
      ...["Redis pause", "failed", "lost", "duplicated", "acknowledged"],
    ],
    rows: (r.pauses ?? []).flatMap((p) => [row(p.rttMs, "there", p.there), row(p.rttMs, "back", p.back)]),
    notes: [
      "pause: from PgBouncer's PAUSE until a write that it held is answered by the new primary, by the switchover's own clock.",
      "silence: the longest time in which none of the clients was told that a write had been done.",
      "longest wait: of one write, from the client's call to its answer, the start of the load included.",
    ],
  };
}

/** The switchover's own steps while writes wait, in their order. */
const waiting = {
  pause: "running transactions end",
  fence: "the old server shuts down",
  promote: "proof, and promotion",
  resume: "new address, resume",
  answer: "held write answered",
};

function parts(r: Results): Table {
  const row = (rttMs: number, direction: string, { summary: s }: Measured) => [
    ...[`${rttMs} ms`, direction, ...Object.keys(waiting).map((name) => s.steps[name]?.toFixed(0) ?? "–")],
  ];
  return {
    title: "Where the pause goes",
    about: "Median of each step, in milliseconds, as the switchover tells it.",
    head: ["round trip", "direction", ...Object.values(waiting)],
    rows: (r.pauses ?? []).flatMap((p) => [row(p.rttMs, "there", p.there), row(p.rttMs, "back", p.back)]),
    notes: [],
  };
}

function peers(r: Results): Table {
  const all = r.peers ?? [];
  const hows = new Map(all.map((p) => [p.name, p.how]));
  return {
    title: "Side by side",
    about: `Each on servers made anew from one image, under the same load. Milliseconds as clients saw them, median / longest.`,
    head: ["", "round trip", "runs", "silence", "longest wait", "failed", "lost", "duplicated"],
    rows: all.map(({ name, rttMs, summary: s }) => [
      ...[name, `${rttMs} ms`, String(s.runs), spread(s.silenceMs), spread(s.waitMs), ...books(s)],
    ]),
    notes: [
      ...all.filter(isOurs).map((ours) => comparison(r, ours)),
      ...[...hows].map(([name, how]) => `${name}: ${how}.`),
    ],
  };
}

function comparison(r: Results, ours: NonNullable<Results["peers"]>[number]): string {
  const best = bestOther(r, ours.rttMs);
  const losing = (r.peers ?? []).filter(
    (p) => p.rttMs === ours.rttMs && p.summary.lost + p.summary.duplicated > 0,
  );
  const times = best && best.summary.silenceMs.median / ours.summary.silenceMs.median;
  return [
    ...(times
      ? [
          `At ${ours.rttMs} ms ${ours.name}'s silence is ${times.toFixed(0)} times shorter than ${best.name}'s.`,
        ]
      : []),
    ...losing.map(
      (p) =>
        `${p.name} is left out of that: a shorter silence is worth nothing where ${whole(p.summary.lost)} writes that clients were told of are gone.`,
    ),
  ].join(" ");
}

function seeding(r: Results): Table {
  return {
    title: "Seeding",
    about:
      "One pg_basebackup with the same options, in turn over plain TCP and through the tunnel. Median of three.",
    head: ["link", "round trip", "size", "plain", "tunnel", "of the plain rate"],
    rows: (r.seeding ?? []).map((s) => [
      ...[s.link, `${s.rttMs} ms`, `${Math.round(s.bytes / 2 ** 20)} MiB`],
      ...[duration(s.plainSeconds), duration(s.tunnelSeconds), `${(s.ratio * 100).toFixed(0)} %`],
    ]),
    notes: windowNote(r),
  };
}

/** What OpenSSH lets be under way in a channel (CHAN_TCP_WINDOW_DEFAULT in its channels.h), in MiB. */
const channelWindow = 2;

/** Why the tunnel falls behind where the servers are far apart. */
function windowNote(r: Results): string[] {
  const far = (r.seeding ?? []).filter((s) => s.ratio < seedingGoal && s.rttMs > 0);
  return far.map(({ rttMs }) => {
    const most = Math.round((channelWindow * 1000) / rttMs);
    return `At ${rttMs} ms the tunnel can't carry more than ${most} MiB/s: OpenSSH lets ${channelWindow} MiB of a channel be under way.`;
  });
}

function program(r: Results): Table {
  return {
    title: "The program",
    about: "The real engine on the lab, each command three times.",
    head: ["command", "seconds"],
    rows: (r.program ?? []).map((t) => [t.command, t.seconds.map((s) => s.toFixed(1)).join(", ")]),
    notes: [],
  };
}

function rehearsal(t: Rehearsal): Table {
  const line = (phase: string, p: Omit<Rehearsal["phases"][number], "phase">) => [
    ...[phase, duration(p.seconds), duration(p.copying), duration(p.starting)],
    duration(p.seconds - p.copying - p.starting),
  ];
  const { seconds, moving, copying, overhead, starting } = t;
  return {
    title: "A rehearsal, by phase",
    about: `\`npm run rehearse -- --size ${t.size}\`: what the phases took, and how much of it was copying data.`,
    head: ["phase", "time", "copying", "until the first step", "other steps"],
    rows: [
      ...t.phases.map((p) => line(p.phase, p)),
      line("together", { seconds: moving, copying, starting }),
    ],
    notes: [
      `The whole rehearsal, with building its lab and drawing up the ledger, took ${duration(seconds)}. All but the copying is ${percent(overhead / seconds)} of it, and ${percent(overhead / moving)} of the phases alone.`,
      "Until its first step a phase starts the engine and the program, and reads both servers; `pulumi up` without a phase does so once.",
      "Of the other steps, prepare asks every later one whether there is anything to undo, and switch waits for Sidekiq, which tells every 10 s only that no job is at work.",
    ],
  };
}

/** A table for the terminal: columns lined up, figures to the right. */
export function text(t: Table): string {
  const all = [t.head, ...t.rows];
  const widths = t.head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const left = t.head.map((_, i) => t.rows.every((row) => /[A-Za-z`]{3}/.test(row[i]!) || row[i] === ""));
  const line = (row: string[]) =>
    row.map((c, i) => (left[i] ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join("  ").trimEnd(); // prettier-ignore
  return ["", t.title, ...all.map((row) => `  ${line(row)}`), ...t.notes.map((n) => `  ${n}`)].join("\n");
}

/** The same in Markdown. */
export function markdown(t: Table): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const notes = t.notes.map((n) => `- ${n}`).join("\n");
  const table = [line(t.head), line(t.head.map(() => "---")), ...t.rows.map(line)].join("\n");
  return [`## ${t.title}`, t.about, table, ...(notes ? [notes] : [])].join("\n\n");
}
