import * as pulumi from "@pulumi/pulumi";
import { type Phase, phases, reached, wanted } from "../survey/phase";
import type { PlannedStep } from "../survey/plan";
import type { Host } from "./host";

export interface StageArgs {
  /** How far to go. */
  phase: Phase;
  /** Where the migration stands when the run begins, as the survey found it. */
  at: Phase;
  /** Left out where the server is not there: its steps are then left out too. */
  source?: Host;
  target?: Host;
  /** The same of the media's way to object storage. @default - they stay where they are */
  media?: { phase: Phase; at: Phase };
  /** Settings that every step gets: facts and addresses. */
  settings: Record<string, pulumi.Input<string>>;
}

/** What all components of one run share: the two servers, how far to go, and what every step is told. */
export class Stage {
  constructor(private readonly args: StageArgs) {}

  get phase(): Phase {
    return this.args.phase;
  }

  get at(): Phase {
    return this.args.at;
  }

  get settings(): Record<string, pulumi.Input<string>> {
    return this.args.settings;
  }

  /** How far the media go, and where they stand. */
  get media(): { phase: Phase; at: Phase } {
    return this.args.media ?? { phase: "survey", at: "survey" };
  }

  host(on: PlannedStep["on"]): Host | undefined {
    return this.args[this.sideOf(on)];
  }

  /**
   * Which of the two servers is meant. The app is on the target from `shift` on; in a run that goes forward the
   * media's steps come before the server's, and after them in one that goes back.
   */
  sideOf(on: PlannedStep["on"]): "source" | "target" {
    if (on !== "app") return on;
    const { phase, at } = this.args;
    return reached(phase, "shift") && reached(at, "shift") ? "target" : "source";
  }

  /** The state that a step has to bring its host to in this run. */
  want({ on, from, until }: Pick<PlannedStep, "on" | "from" | "until">): "present" | "absent" {
    const phase = on === "app" ? this.media.phase : this.args.phase;
    return wanted(phase, from, until) ? "present" : "absent";
  }

  /** Whether the server that a step is about takes its leave of the source, or has. */
  retires({ on }: Pick<PlannedStep, "on">): boolean {
    return on !== "app" && this.args.phase === "retire";
  }

  /**
   * Whether a step may have something to do in this run. All may while nothing serves on the new server yet;
   * later those whose end turns between where the migration stands and where it goes, and those that a run
   * which was cut off has left: on the way back they may be of the phase above.
   */
  mayMove({ on, from, until }: Pick<PlannedStep, "on" | "from" | "until">): boolean {
    const { phase, at } = on === "app" ? this.media : this.args;
    const place = (p: Phase) => phases.indexOf(p);
    const [low, high] = [place(phase), place(at)].sort((a, b) => a - b) as [number, number];
    if (high < place("shift")) return true;
    return [from, until].some((turn) => turn && place(turn) >= low && place(turn) <= high + 1);
  }
}
