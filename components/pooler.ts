import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface PoolerArgs {
  stage: Stage;
  appPassword: pulumi.Input<string>;
}

/**
 * What stands between the app and its data on the target, so that the data can move under it: PgBouncer and a
 * proxy for Redis.
 */
export class Pooler extends pulumi.ComponentResource {
  readonly up: Step;

  constructor(name: string, args: PoolerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Pooler", name, {}, opts);
    const settings = { APP_PASSWORD: args.appPassword };
    this.up = new Step("pooler/up", { stage: args.stage, settings }, { parent: this });
    this.registerOutputs({});
  }
}
