import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Migration } from "../config";
import { type Facts, releaseTag } from "../survey/facts";
import { reached } from "../survey/phase";
import type { Latest } from "../survey/latest";
import { type Reader, readerSettings } from "./reader";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface AppArgs {
  stage: Stage;
  /** How the app comes to the target, and what from. */
  app: Migration["app"];
  reader: Reader;
  /** What the source is like: where it has changed, its app is carried again. */
  latest: pulumi.Output<Latest>;
  /** Limit for copying in MiB/s; 0 is none. */
  rateMiB: number;
  /** Runs before the app serves on the target, and may refuse. @default - none */
  gate?: pulumi.ResourceHook;
}

/**
 * Mastodon itself: its tree (the source's own, or the same release installed anew) and the source's secrets on the
 * target, proven, then serving there and stopped on the source.
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
    const { stage, app, latest } = args;
    const way = { APP_INSTALL: app.install, APP_REPOSITORY: app.repository, APP_REF: app.ref };
    const child = { parent: this };
    const restless = !reached(stage.at, "shift");
    const reader = readerSettings(args.reader);
    const SOURCE_SSH_PORT = String(args.reader.source.port); // how far away the source is
    const salt = new random.RandomPassword(`${name}-salt`, { length: 32, special: false }, child);
    this.tree = new Step(
      "app/tree",
      { stage, restless, settings: { ...reader, ...way, ...codeOf(args), RATE_MIB: String(args.rateMiB) } },
      child,
    );
    const SEEN_ENV = latest.apply((l) => l.env ?? "");
    this.secrets = new Step(
      "app/secrets",
      { stage, restless, settings: { ...reader, HASH_SALT: salt.result, SEEN_ENV } },
      child,
    );
    this.prove = new Step("app/prove", { stage, restless, settings: { SEEN_ENV } }, child);
    this.serve = new Step("app/serve", { stage, gate: args.gate, settings: { SOURCE_SSH_PORT } }, child);
    this.stop = new Step("app/stop", { stage }, child);
    this.registerOutputs({});
  }
}

/** What the app's tree has to be: as the source was last seen, or else as it was first seen. */
function codeOf({ latest, stage }: AppArgs): Record<string, pulumi.Output<string>> {
  const first = pulumi.output(stage.settings);
  const told = (name: keyof Facts, last: (l: Latest) => string | undefined) =>
    pulumi.all([latest, first]).apply(([l, f]) => last(l) ?? f[name] ?? "");
  return {
    MASTODON_VERSION: told("MASTODON_VERSION", (l) => l.version),
    SOURCE_REPOSITORY: told("SOURCE_REPOSITORY", (l) => l.repository),
    SOURCE_REF: told("SOURCE_REF", (l) => l.ref ?? (l.version && releaseTag(l.version))),
    SEEN_TREE: latest.apply((l) => l.tree ?? ""),
  };
}
