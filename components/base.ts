import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface BaseArgs {
  stage: Stage;
}

/** The target's ground: packages, the app's user, services held back. */
export class Base extends pulumi.ComponentResource {
  readonly base: Step;

  constructor(name: string, args: BaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Base", name, {}, opts);
    this.base = new Step("host/base", { stage: args.stage }, { parent: this });
    this.registerOutputs({});
  }
}
