import * as pulumi from "@pulumi/pulumi";
import { reached } from "../survey/phase";
import type { Latest } from "../survey/latest";
import { type Reader, readerSettings } from "./reader";
import type { Stage } from "./stage";
import { Step } from "./step";

export interface WebArgs {
  stage: Stage;
  reader: Reader;
  /** What the source is like: a renewed certificate and a changed site are carried again. */
  latest: pulumi.Output<Latest>;
  /** DNS goes on leading to the source in this run, whatever the phase. */
  namesStay: boolean;
}

/** nginx on both servers: the site on the target before DNS points there, and the source as its proxy. */
export class Web extends pulumi.ComponentResource {
  readonly certificates: Step;
  readonly site: Step;
  readonly proxy: Step;
  /** From settle on certbot renews on the target what it renewed on the source over HTTP. */
  readonly renewal: Step;

  constructor(name: string, args: WebArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:Web", name, {}, opts);
    const { stage, latest } = args;
    const child = { parent: this };
    const below = (phase: "shift" | "switch") => ({ stage, restless: !reached(stage.at, phase) });
    const SEEN_PAIRS = latest.apply(({ pair, pairs }) => [pair, pairs].join(" "));
    const SEEN_SITE = latest.apply((l) => l.site ?? "");
    const settings = { ...readerSettings(args.reader), SEEN_PAIRS, SEEN_SITE };
    this.certificates = new Step("web/certificates", { ...below("switch"), settings }, child);
    this.site = new Step("web/site", { ...below("shift"), settings: { SEEN_SITE } }, child);
    this.proxy = new Step("web/proxy", { stage }, child);
    this.renewal = new Step("web/renewal", { stage, held: args.namesStay }, child);
    this.registerOutputs({});
  }
}
