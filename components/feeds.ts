import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface FeedsArgs {
  stage: Stage;
}

/** Home feeds made anew, where Redis was not carried. */
export class Feeds extends pulumi.ComponentResource {
  readonly build: Step;

  constructor(name: string, args: FeedsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Feeds", name, {}, opts);
    this.build = new Step("feeds/build", { stage: args.stage }, { parent: this });
    this.registerOutputs({});
  }
}
