import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { reached } from "../survey/phase";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface SwitchoverArgs {
  stage: Stage;
  replicationPassword: pulumi.Input<string>;
  appPassword: pulumi.Input<string>;
  /** Writes wait no longer than this; then everything is undone. */
  deadlineMs: number;
  drainSeconds: number;
  /** The port of the source's sshd, by which it is measured how far away it is. */
  sourcePort: number;
  carryRedis: boolean;
  /** Runs before the data move, and may refuse. @default - none */
  gate?: pulumi.ResourceHook;
}

/** The data move, one unit on the target with its connections open beforehand, forward or back. @stateful */
export class Switchover extends pulumi.ComponentResource {
  /** Its helper on the source. */
  readonly agent: Step;
  readonly run: Step;
  readonly check: Step;

  constructor(name: string, args: SwitchoverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Switchover", name, {}, opts);
    const { stage } = args;
    const child = { parent: this };
    const token = new random.RandomPassword(`${name}-token`, { length: 40, special: false }, child);
    const AGENT_TOKEN = token.result;
    const { replicationPassword: REPL_PASSWORD, appPassword: APP_PASSWORD } = args;
    const [DEADLINE_MS, DRAIN_SECONDS] = [String(args.deadlineMs), String(args.drainSeconds)];
    const CARRY_REDIS = args.carryRedis ? "yes" : "no";
    this.agent = new Step("switchover/agent", { stage, settings: { AGENT_TOKEN } }, child);
    this.run = new Step(
      "switchover/run",
      {
        stage,
        gate: args.gate,
        // While the data are on the target (or may be), nothing that this step stands on can be destroyed.
        protect: reached(stage.phase, "switch") || reached(stage.at, "switch"),
        settings: { AGENT_TOKEN, REPL_PASSWORD, APP_PASSWORD, DEADLINE_MS, DRAIN_SECONDS, CARRY_REDIS },
      },
      child,
    );
    this.check = new Step(
      "switchover/check",
      { stage, settings: { CARRY_REDIS, SOURCE_SSH_PORT: String(args.sourcePort) } },
      child,
    );
    this.registerOutputs({});
  }
}
