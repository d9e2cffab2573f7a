import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface AccessArgs {
  stage: Stage;
}

/**
 * What the target may do on the source: two keys, one that forwards to named ports and nothing else, one that
 * reads what is carried.
 */
export class Access extends pulumi.ComponentResource {
  /** Private halves, for the target alone. */
  readonly tunnelKey: pulumi.Output<string>;
  readonly readKey: pulumi.Output<string>;
  /** The two lines in the source's authorized_keys. */
  readonly grant: Step;

  constructor(name: string, args: AccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Access", name, {}, opts);
    const child = { parent: this };
    const tunnel = new tls.PrivateKey(`${name}-tunnel-key`, { algorithm: "ED25519" }, child);
    const read = new tls.PrivateKey(`${name}-read-key`, { algorithm: "ED25519" }, child);
    this.tunnelKey = tunnel.privateKeyOpenssh;
    this.readKey = read.privateKeyOpenssh;
    this.grant = new Step(
      "access/grant",
      {
        stage: args.stage,
        settings: {
          TUNNEL_PUBLIC_KEY: tunnel.publicKeyOpenssh.apply((k) => k.trim()),
          READ_PUBLIC_KEY: read.publicKeyOpenssh.apply((k) => k.trim()),
        },
      },
      child,
    );
    this.registerOutputs({});
  }
}
