import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { reached } from "../survey/phase";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface AccessArgs {
  stage: Stage;
  /** Who logs in to the source, and is granted the keys there. */
  user: string;
  /** The public keys that the source grants now, with their marks; undefined where it could not be asked. */
  granted: string[] | undefined;
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
        restless: true,
        settings: {
          TUNNEL_PUBLIC_KEY: tunnel.publicKeyOpenssh.apply((k) => k.trim()),
          SOURCE_SSH_USER: args.user,
          READ_PUBLIC_KEY: read.publicKeyOpenssh.apply((k) => k.trim()),
          STRAYED: pulumi
            .all([tunnel.publicKeyOpenssh, read.publicKeyOpenssh])
            .apply((ours) => strayed(ours, args)),
        },
      },
      child,
    );
    this.registerOutputs({});
  }
}

/**
 * What the source grants in place of our keys, "" where all is well. A step that is done would not run again by
 * itself for what somebody else did to its work, and without these keys nothing after it can run.
 */
export function strayed(ours: string[], { stage, granted }: AccessArgs): string {
  if (!granted || !reached(stage.at, "replicate") || reached(stage.at, "retire")) return "";
  const bare = (key: string) => key.split(" ").slice(0, 2).join(" ");
  const there = new Set(granted.map(bare));
  return ours.every((key) => there.has(bare(key.trim()))) ? "" : granted.join(", ") || "none";
}
