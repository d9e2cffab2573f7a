import { type Fault, faults } from "./faults";
import { Journey } from "./journey";
import { watchJobs } from "./judge";
import type { Options } from "./options";
import type { Ledger, MediaBooks, Report, RequestSample, Switchover } from "./report/model";
import type { StackEvent } from "./stack";
import { surveyText } from "./report";
import { combined, type Source, sources } from "./sources";
import type { Timeline } from "./timeline";
import { World } from "./world";

/** Where a rehearsal tells how far it is. */
export interface Ui {
  /** The world is up, and stays up when what follows fails. */
  built(world: World): void;
  event(e: StackEvent): void;
  phase(name: string): void;
  line(text: string): void;
}

/** The order in which a careful admin goes. */
const forward = ["prepare", "replicate", "shift", "switch", "settle"];

/** How much of the people's requests around the switch the report shows, in milliseconds to either side. */
const windowMs = 5000;

export interface Rehearsed {
  report: Report;
  /** Still up: whoever asked for the rehearsal ends it. */
  world: World;
  /** What the program said in `pulumi preview` before anything was changed. */
  preview: string;
}

/**
 * Carries out one migration in a world of its own while people use the instance, and draws up what came of it.
 * @param timeline filled on the way: all that is left where this throws
 */
export async function rehearse(o: Options, ui: Ui, timeline: Timeline): Promise<Rehearsed> {
  const fault = o.fault ? faults[o.fault] : undefined;
  ui.phase("build the lab");
  const world = await World.build({
    ...o,
    store: o.example === "object-storage" ? o.store : undefined,
    source: sourceOf(o),
    targetDiskMiB: fault?.diskMiB,
    log: (line) => ui.line(line),
    onEvent: (e) => {
      timeline.take(e);
      ui.event(e);
    },
  });
  ui.built(world);
  await world.open();
  await watchJobs(world.source, world.place());
  const journey = new Journey(world, timeline, (line) => ui.line(line));
  ui.phase("preview");
  const seen = await world.stack.preview(["-c", "phase=settle"]).done;
  const preview = surveyText(seen.output);
  ui.line(`pulumi preview says:\n\n${preview}\n`);
  const phases = o.back ? forward.slice(0, -1) : forward;
  for (const phase of phases) await go(journey, ui, phase, fault);
  ui.phase("draw up the ledger");
  const there = await leg(journey, "target");
  const back = o.back ? await goBack(journey, ui) : undefined;
  const report = await draw(journey, timeline, { o, fault, there, back });
  return { report, world, preview };
}

/** Unless another is asked for: a Compose project for media to object storage, a source install elsewhere and for faults. */
function sourceOf({ source, example, fault }: Options): Source | undefined {
  if (source.length) return combined(source);
  return example === "object-storage" && !fault ? sources["compose"] : undefined;
}

/** What one direction came to. */
interface Leg {
  switchover?: Switchover;
  media?: MediaBooks;
  books: Ledger;
}

async function go(journey: Journey, ui: Ui, phase: string, fault?: Fault): Promise<void> {
  ui.phase(phase);
  await journey.to(phase, fault?.phase === phase ? fault : undefined);
}

async function leg(journey: Journey, truth: "source" | "target"): Promise<Leg> {
  const { media, source } = journey.world;
  const switchover = media ? undefined : await journey.switchover();
  const books = await journey.audit(truth);
  return {
    switchover,
    books,
    media: truth === "target" ? await media?.books(source, journey.world.place()) : undefined,
  };
}

async function goBack(journey: Journey, ui: Ui): Promise<Leg> {
  await journey.world.resume();
  await go(journey, ui, "shift");
  await go(journey, ui, "replicate");
  ui.phase("draw up the ledger of the way back");
  return leg(journey, "source");
}

interface Story {
  o: Options;
  fault?: Fault;
  there: Leg;
  back?: Leg;
}

async function draw(journey: Journey, timeline: Timeline, story: Story): Promise<Report> {
  const { world, broken } = journey;
  const { o, fault, there, back } = story;
  const { startedAt } = timeline;
  const [people, remotes] = await world.stats();
  const at = there.switchover?.at;
  const requests = at ? await world.people.samples(at - windowMs, at + windowMs) : [];
  const findings = [
    ...broken,
    ...there.books.findings,
    ...(back?.books.findings ?? []),
    ...(there.media?.findings ?? []),
  ];
  const looked = world.media ? people.pictures.broken + remotes.links.broken : 0;
  const { requests: asked, failed, longestStallMs, streams } = people;
  return {
    example: o.example,
    // A power cut or a dead network fails requests by itself; without one, nobody may notice anything.
    ok:
      findings.length === 0 &&
      remotes.dropped === 0 &&
      (fault !== undefined || (failed === 0 && looked === 0)),
    verdict: broken.join("; ") || undefined,
    startedAt,
    seconds: (Date.now() - startedAt) / 1000,
    phases: timeline.phases,
    steps: timeline.steps,
    switchover: there.switchover,
    back: back?.switchover,
    clients: {
      requests: asked,
      failed,
      longestStallMs,
      writeStallMs: longestWrite(requests),
      streams,
      slowest: slowest(await world.people.samples(0, Infinity), timeline),
    },
    federation: remotes,
    media: there.media && {
      ...withLooks(there.media, [people.pictures, remotes.links]),
      findings: [...there.media.findings, ...(looked > 0 ? await brokenLooks(world) : [])],
    },
    ledger: there.books,
    backLedger: back?.books,
    fault: fault && { name: o.fault ?? "", title: fault.title, story: journey.story, ending: journey.ending },
    environment: world.environment(),
    requests,
  };
}

/** The broken links of people and remote servers are broken links too. */
function withLooks(media: MediaBooks, looks: { opened: number; broken: number }[]): MediaBooks {
  const sum = (of: "opened" | "broken") => looks.reduce((n, look) => n + look[of], 0);
  return {
    ...media,
    brokenLinks: media.brokenLinks + sum("broken"),
    linksFetched: (media.linksFetched ?? 0) + sum("opened"),
  };
}

async function brokenLooks({ people }: World): Promise<string[]> {
  const at = (t: number) => new Date(t).toISOString().slice(11, 23);
  return (await people.broken(3)).map(
    (look) => `link broken at ${at(look.t)} for ${look.who}: ${look.url}, ${look.fault ?? look.status}`,
  );
}

function slowest(all: RequestSample[], timeline: Timeline) {
  const phaseOf = (t: number) =>
    [...timeline.phases].reverse().find((p) => (p.startedAt ?? 0) <= t)?.phase ?? "";
  const worst = [...all].sort((a, b) => b.ms - a.ms).slice(0, 10);
  return worst.map((r) => ({ ms: Math.round(r.ms), kind: r.kind, phase: phaseOf(r.t), at: r.t }));
}

function longestWrite(requests: RequestSample[]): number {
  return Math.max(0, ...requests.filter((r) => r.write).map((r) => r.ms));
}
