import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Migration } from "../config";
import { type Reader, readerSettings } from "./reader";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface AppArgs {
  stage: Stage;
  /** How the app comes to the target, and what from. */
  app: Migration["app"];
  reader: Reader;
  /** Limit for copying in MiB/s; 0 is none. */
  rateMiB: number;
  /** Runs before the app serves on the target, and may refuse. @default - none */
  gate?: pulumi.ResourceHook;
}

/**
 * Mastodon itself: the source's own tree and secrets on the target, proven, then serving there and stopped on
 * the source.
 */
export class App extends pulumi.ComponentResource {
  readonly tree: Step;
  readonly secrets: Step;
  /** One encrypted row of the database is decrypted with the carried keys. */
  readonly prove: Step;
  /** Web and streaming on the target, while the data are still the source's. */
  readonly serve: Step;
  /** Everything of Mastodon on the source stopped and masked. */
  readonly stop: Step;

  constructor(name: string, args: AppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:App", name, {}, opts);
    const { stage, app } = args;
    const way = { APP_INSTALL: app.install, APP_REPOSITORY: app.repository, APP_REF: app.ref };
    const child = { parent: this };
    const reader = readerSettings(args.reader);
    const salt = new random.RandomPassword(`${name}-salt`, { length: 32, special: false }, child);
    this.tree = new Step(
      "app/tree",
      { stage, settings: { ...reader, ...way, RATE_MIB: String(args.rateMiB) } },
      child,
    );
    this.secrets = new Step("app/secrets", { stage, settings: { ...reader, HASH_SALT: salt.result } }, child);
    this.prove = new Step("app/prove", { stage }, child);
    this.serve = new Step("app/serve", { stage, gate: args.gate }, child);
    this.stop = new Step("app/stop", { stage }, child);
    this.registerOutputs({});
  }
}
