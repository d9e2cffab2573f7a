import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface RetireArgs {
  stage: Stage;
}

/**
 * The end of the old server: a last backup kept, everything of the migration removed, the databases stopped
 * for good.
 */
export class Retire extends pulumi.ComponentResource {
  readonly source: Step;

  constructor(name: string, args: RetireArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Retire", name, {}, opts);
    this.source = new Step("host/retire", { stage: args.stage }, { parent: this });
    this.registerOutputs({});
  }
}
