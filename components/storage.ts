import * as pulumi from "@pulumi/pulumi";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface StorageArgs {
  stage: Stage;
  /** What every storage step is told: see `storageSettings` (the bucket, its media host, choices). */
  settings: Record<string, pulumi.Input<string>>;
  /** Runs before the app begins to use the bucket, and may refuse. @default - none */
  gate?: pulumi.ResourceHook;
}

/**
 * Media from the disk to a bucket behind a host name of their own, while the instance serves: copied, followed,
 * checked through the media host, switched, accounted for. @stateful
 */
export class Storage extends pulumi.ComponentResource {
  /** rclone, its settings, and the proof that the key may do what it must. */
  readonly tools: Step;
  /** The media host on the instance's own nginx, where there is no CDN. */
  readonly host: Step;
  /** Browsers learn of the media host before it is used. */
  readonly announce: Step;
  /** Files of other servers that are old are dropped first, where the admin asked for it. */
  readonly prune: Step;
  readonly copy: Step;
  readonly follow: Step;
  /** Real rows' URLs, fetched as browsers will fetch them. */
  readonly check: Step;
  /** Links from before lead to the media host for ever. */
  readonly links: Step;
  readonly switch: Step;
  readonly verify: Step;
  /** The disk copy's end, where the admin asked for it. */
  readonly clean: Step;

  constructor(name: string, args: StorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Storage", name, {}, opts);
    const { stage, settings, gate } = args;
    const child = { parent: this };
    this.tools = new Step("storage/tools", { stage, settings }, child);
    this.host = new Step("storage/host", { stage, settings }, child);
    this.announce = new Step("storage/announce", { stage, settings }, child);
    this.prune = new Step("storage/prune", { stage, settings }, child);
    this.copy = new Step("storage/copy", { stage, settings }, child);
    this.follow = new Step("storage/follow", { stage, settings }, child);
    this.check = new Step("storage/check", { stage, settings }, child);
    this.links = new Step("storage/links", { stage, settings }, child);
    this.switch = new Step("storage/switch", { stage, settings, gate }, child);
    this.verify = new Step("storage/verify", { stage, settings }, child);
    this.clean = new Step("storage/clean", { stage, settings }, child);
    this.registerOutputs({});
  }

  /** All steps in the order of the runbook. */
  get steps(): Step[] {
    return [
      ...[this.tools, this.host, this.announce, this.prune, this.copy, this.follow],
      ...[this.check, this.links, this.switch, this.verify, this.clean],
    ];
  }
}
