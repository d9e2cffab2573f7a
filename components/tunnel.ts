import * as pulumi from "@pulumi/pulumi";
import { loginSettings, type SourceLogin } from "./reader";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface TunnelArgs {
  stage: Stage;
  /** The key that may forward to named ports on the source, and nothing else. */
  privateKey: pulumi.Input<string>;
  source: SourceLogin;
}

/** SSH port forwards from the target to the source, one unit each, so that a copy never holds up a query. */
export class Tunnel extends pulumi.ComponentResource {
  readonly up: Step;

  constructor(name: string, args: TunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Tunnel", name, {}, opts);
    const settings = { TUNNEL_PRIVATE_KEY: args.privateKey, ...loginSettings(args.source) };
    this.up = new Step("tunnel/up", { stage: args.stage, settings }, { parent: this });
    this.registerOutputs({});
  }
}
