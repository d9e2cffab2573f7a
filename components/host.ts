import * as pulumi from "@pulumi/pulumi";
import path from "node:path";
import { later, type Link } from "./chain";
import { upload } from "./step";

export interface HostArgs {
  address: pulumi.Input<string>;
  port: number;
  user: string;
  /** The server's ed25519 key, "ssh-ed25519 AAAA…". Required: what is not pinned is not checked at all. */
  hostKey: pulumi.Input<string>;
  privateKey: string;
  /** The server is made by this stack and has to boot first. @default false */
  fresh?: boolean;
  /** The scripts will be removed at the end of this run, so that the next run has to bring them anew. @default false */
  leaving?: boolean;
}

/** A server that steps run on: how to reach it, and the uploaded scripts. */
export class Host extends pulumi.ComponentResource implements Link {
  readonly address: pulumi.Output<string>;
  readonly hostKey: pulumi.Output<string>;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** Every step on this server waits for these. */
  readonly resources: pulumi.Resource[];
  private readonly before = later();

  constructor(
    readonly name: "source" | "target",
    args: HostArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("trunkline:index:Host", name, {}, opts);
    this.address = pulumi.output(args.address);
    this.hostKey = pulumi.output(args.hostKey);
    this.port = args.port;
    this.user = args.user;
    this.privateKey = args.privateKey;
    this.resources = upload(
      this,
      path.join(__dirname, "..", "scripts"),
      [args.leaving ? "leaving" : "staying"],
      {
        parent: this,
        dependsOn: this.before.promise,
        patience: args.fresh ? 100 : 10,
      },
    );
    this.registerOutputs({ address: this.address });
  }

  /** Put before a command that needs root. */
  get sudo(): string {
    return this.user === "root" ? "" : "sudo -n ";
  }

  follow(before: pulumi.Resource[]): void {
    this.before.settle(before);
  }
}
