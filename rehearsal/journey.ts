import type { Fault } from "./faults";
import { forgotten, ledger, type Primaries, Site, watchJobs, writablePrimaries } from "./judge";
import type { Ledger, Switchover } from "./report/model";
import type { RunResult } from "./stack";
import type { Timeline } from "./timeline";
import { lastWords, why } from "./words";
import type { World } from "./world";

/** One migration on its way through the phases, there and back, with or without accidents. */
export class Journey {
  /** What did not hold, in sentences; empty when all is well. */
  readonly broken: string[] = [];
  /** What the last accident led to, sentence by sentence, and how it ended. */
  readonly story: string[] = [];
  ending = "";
  private phase = "survey";
  private announced = false;

  constructor(
    readonly world: World,
    private readonly timeline: Timeline,
    private readonly say: (line: string) => void,
  ) {}

  /** Goes to a phase by one `pulumi up`; or two, when an accident made the first one fail. */
  async to(phase: string, fault?: Fault): Promise<RunResult> {
    const { stack } = this.world;
    this.timeline.begin((this.phase = phase));
    if (fault) await stack.setConfig({ phase });
    const first = fault ? await this.struck(fault) : await stack.up(["-c", `phase=${phase}`]).done;
    if (!fault && !first.ok) throw new Error(`${phase} failed:\n${why(first.output)}`);
    const last = fault ? await this.afterFault(fault, first) : first;
    this.timeline.end();
    await this.leadTime();
    // The judge listens to whichever Redis there is: a job may be made and done on either side of the switch.
    for (const host of this.world.lab.hosts()) if (host.running()) await watchJobs(host, this.world.place());
    return last;
  }

  /** The first time that a media host is there, nobody is led to it before browsers know of it. */
  private async leadTime(): Promise<void> {
    if (this.announced || this.phase !== "prepare" || !this.world.media) return;
    this.announced = true;
    await this.world.pagesOpenedAnew();
  }

  /** One `pulumi up` with a fault in it. */
  private async struck(fault: Fault): Promise<RunResult> {
    const { lab, stack, source, clouds, media } = this.world;
    const scene = {
      lab,
      stack,
      source,
      place: new Site(source, this.world.place()).place,
      clouds,
      media,
      target: () => this.world.target(),
      otherStack: () => this.world.otherStack(),
      log: (line: string) => this.tell(line),
    };
    this.story.length = 0;
    this.say(`what is broken on purpose in this phase: ${fault.title}`);
    await fault.before?.(scene);
    const run = stack.up();
    const [first, strike] = await Promise.allSettled([run.done, fault.strike({ ...scene, run })]);
    if (first.status === "rejected") throw first.reason;
    if (strike.status === "rejected")
      throw new Error(`${fault.title}: it did not strike: ${strike.reason}\n${why(first.value.output)}`);
    return first.value;
  }

  private async afterFault(fault: Fault, first: RunResult): Promise<RunResult> {
    const { stack } = this.world;
    this.check(
      fault.fails !== "must" || !first.ok,
      `${fault.title}: the first \`up\` should have failed, and did not`,
    );
    this.check(
      fault.fails !== "no" || first.ok,
      `${fault.title}: should have been ridden out:\n${why(first.output)}`,
    );
    if (!first.ok && fault.says)
      this.check(
        fault.says.test(first.output),
        `${fault.title}: it did not say ${fault.says}:\n${why(first.output)}`,
      );
    await this.checkPrimaries(fault.title);
    if (first.ok) return this.ended("ridden out by the first `up`", first);
    if (first.signal) await this.unlock();
    else this.tell(`the first \`up\` failed, as it may: ${lastWords(first.output)}`);
    const second = await stack.up().done;
    if (!second.ok)
      throw new Error(`${fault.title}: a plain second \`up\` failed too:\n${why(second.output)}`);
    await this.checkPrimaries(`${fault.title}, after the second \`up\``);
    return this.ended(
      `finished by a plain second \`up\`${first.signal ? ", after `pulumi cancel`" : ""}`,
      second,
    );
  }

  private ended(how: string, last: RunResult): RunResult {
    this.say(`the accident is over: ${(this.ending = how)}`);
    return last;
  }

  private tell(line: string): void {
    this.story.push(line);
    this.say(line);
  }

  /** What a killed run leaves: a lock without a lease, that says so and how to go on. Its owner does so by hand. */
  private async unlock(): Promise<void> {
    const { stack } = this.world;
    const { ok, output } = await stack.up().done;
    this.check(
      !ok && /locked/.test(output) && /pulumi cancel/.test(output),
      `an \`up\` after a killed one should say that the stack is locked, and how to go on:\n${output}`,
    );
    this.tell(`the first \`up\` was killed, and the next says: ${lastWords(output)}`);
    await stack.cancel();
  }

  /** People and remote servers go quiet, then the books are drawn up on the server that holds the data. */
  async audit(truth: "source" | "target"): Promise<Ledger> {
    const { world } = this;
    await world.quiet();
    await this.checkPrimaries("at the end");
    const { media } = world;
    return ledger(world.lab, {
      truthHost: truth === "target" && !world.mediaAlone ? world.target() : world.source,
      records: world.records(),
      // Before replicate the new server holds nothing to compare.
      alone: world.mediaAlone || this.phase === "survey" || this.phase === "prepare",
      files: media && truth === "target" ? await media.files() : undefined,
      excuses: await forgotten(world.source, world.source.outages, world.place()),
      place: world.place(),
    });
  }

  /** What the last switchover said of itself. */
  async switchover(): Promise<Switchover> {
    const step = [...this.timeline.results].reverse().find((r) => r.name === "switchover/run" && r.ok);
    const told = step?.result ?? {};
    const at = told["pausedAtMs"] === undefined ? undefined : Number(told["pausedAtMs"]);
    const before = at === undefined ? [] : await this.world.people.samples(at - 30_000, at);
    return {
      writePauseMs: Number(told["writePauseMs"] ?? NaN),
      redisPauseMs: told["redisPauseMs"] === undefined ? undefined : Number(told["redisPauseMs"]),
      rttMs: Number(told["rttMs"] ?? NaN),
      writesPerSecond: Math.round(before.filter((r) => r.write && r.ok).length / 3) / 10,
      at,
      steps: told["steps"] as Switchover["steps"],
    };
  }

  private check(holds: boolean, otherwise: string): void {
    if (!holds) this.broken.push(otherwise);
  }

  /** Two primaries are never right; none may be for as long as a server boots or a recovery runs. */
  private async checkPrimaries(when: string): Promise<void> {
    const end = Date.now() + 90_000;
    let seen: Primaries = await writablePrimaries(this.world.lab.hosts(), this.world.place());
    while (!seen.ok && seen.postgres.length < 2 && seen.redis.length < 2 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      seen = await writablePrimaries(this.world.lab.hosts(), this.world.place());
    }
    this.check(seen.ok, `${when}: ${seen.findings.join("; ")}`);
  }
}
