import * as pulumi from "@pulumi/pulumi";
import { type Phase, wanted } from "../survey/phase";
import type { Host } from "./host";

export interface StageArgs {
  /** How far to go. */
  phase: Phase;
  /** Where the migration stands when the run begins, as the survey found it. */
  at: Phase;
  /** Left out where the server is not there: its steps are then left out too. */
  source?: Host;
  target?: Host;
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

  host(side: "source" | "target"): Host | undefined {
    return this.args[side];
  }

  /** The state that a step has to bring its host to in this run. */
  want(from: Phase, until?: Phase): "present" | "absent" {
    return wanted(this.args.phase, from, until) ? "present" : "absent";
  }
}
