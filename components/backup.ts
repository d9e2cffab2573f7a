import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface BackupArgs {
  stage: Stage;
}

/** Backups on the target, and the proof that one can be restored. @stateful */
export class Backup extends pulumi.ComponentResource {
  readonly run: Step;
  readonly prove: Step;

  constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Backup", name, {}, opts);
    const { stage } = args;
    this.run = new Step("backup/run", { stage }, { parent: this });
    this.prove = new Step("backup/prove", { stage }, { parent: this });
    this.registerOutputs({});
  }
}
