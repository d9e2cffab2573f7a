import * as pulumi from "@pulumi/pulumi";
import { type Phase, reached, wanted } from "../survey/phase";
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
}
