import * as pulumi from "@pulumi/pulumi";
import { type Reader, readerSettings } from "./reader";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface MediaArgs {
  stage: Stage;
  reader: Reader;
  /** Limit for copying in MiB/s; 0 is none. */
  rateMiB: number;
}

/**
 * Media from server to server: in bulk while the source serves, then kept in step, then finished. @stateful
 */
export class Media extends pulumi.ComponentResource {
  readonly copy: Step;
  readonly follow: Step;
  readonly finish: Step;

  constructor(name: string, args: MediaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Media", name, {}, opts);
    const { stage } = args;
    const child = { parent: this };
    const settings = readerSettings(args.reader);
    const limited = { ...settings, RATE_MIB: String(args.rateMiB) };
    this.copy = new Step("media/copy", { stage, settings: limited }, child);
    this.follow = new Step("media/follow", { stage, settings }, child);
    this.finish = new Step("media/finish", { stage, settings }, child);
    this.registerOutputs({});
  }
}
