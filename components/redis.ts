import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface RedisArgs {
  stage: Stage;
  /** Without it the replica stays away. */
  carry: boolean;
}

/** Redis on the target, a replica of the source's: queues, feeds and counters come along. @stateful */
export class Redis extends pulumi.ComponentResource {
  readonly replica: Step;

  constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Redis", name, {}, opts);
    const settings = { CARRY_REDIS: args.carry ? "yes" : "no" };
    // Not undone in retire: by then it is the master.
    this.replica = new Step("redis/replica", { stage: args.stage, settings }, { parent: this });
    this.registerOutputs({});
  }
}
