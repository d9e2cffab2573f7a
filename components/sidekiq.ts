import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface SidekiqArgs {
  stage: Stage;
  /** How long running jobs may take to end. */
  drainSeconds: number;
}

/** Sidekiq: quiet and drained on the source first, then running on the target, never on both. */
export class Sidekiq extends pulumi.ComponentResource {
  readonly quiet: Step;
  readonly run: Step;

  constructor(name: string, args: SidekiqArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Sidekiq", name, {}, opts);
    const { stage } = args;
    const child = { parent: this };
    const settings = { DRAIN_SECONDS: String(args.drainSeconds) };
    this.quiet = new Step("sidekiq/quiet", { stage, settings }, child);
    this.run = new Step("sidekiq/run", { stage, settings }, child);
    this.registerOutputs({});
  }
}
