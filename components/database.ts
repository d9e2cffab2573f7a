import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface DatabaseArgs {
  stage: Stage;
  /** How much WAL the source keeps for a target that has gone away. */
  slotKeepMiB: number;
  /** Limit for the base backup in MiB/s; 0 is none. */
  rateMiB: number;
}

/** Postgres: published by the source, streamed to the target, checked there. @stateful */
export class Database extends pulumi.ComponentResource {
  /** Of the role that replicates, and of the one that the target's pooler logs in with. */
  readonly replicationPassword: pulumi.Output<string>;
  readonly appPassword: pulumi.Output<string>;
  readonly publish: Step;
  readonly standby: Step;
  /** The standby streams, and its text indexes are in the order of its own libc. */
  readonly check: Step;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Database", name, {}, opts);
    const { stage } = args;
    const child = { parent: this };
    const password = (of: string) =>
      new random.RandomPassword(`${name}-${of}-password`, { length: 32, special: false }, child).result;
    this.replicationPassword = password("replication");
    this.appPassword = password("app");
    const REPL_PASSWORD = this.replicationPassword;
    this.publish = new Step(
      "database/publish",
      {
        stage,
        settings: { REPL_PASSWORD, APP_PASSWORD: this.appPassword, SLOT_KEEP_MB: String(args.slotKeepMiB) },
      },
      child,
    );
    const limited = { REPL_PASSWORD, RATE_MIB: String(args.rateMiB) };
    this.standby = new Step("database/standby", { stage, settings: limited }, child);
    this.check = new Step("database/check", { stage }, child);
    this.registerOutputs({});
  }
}
