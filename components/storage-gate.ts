import * as pulumi from "@pulumi/pulumi";
import { reached } from "../survey/phase";
import { ask, refuse } from "./gate";
import type { Stage } from "./stage";

export interface StorageGateArgs {
  stage: Stage;
  settings: Record<string, pulumi.Input<string>>;
  /** How many days browsers have to know the media host before it is used; 0: not asked for. */
  leadDays: number;
}

/**
 * Stands before the app begins to use the bucket: `scripts/gate/storage.sh` looks whether everything is copied
 * and in step, and whether browsers have known the media host for long enough.
 */
export function storageGate(args: StorageGateArgs): pulumi.ResourceHook | undefined {
  const { stage, leadDays } = args;
  const host = stage.host("app");
  const { phase, at } = stage.media;
  if (!host || !reached(phase, "switch") || reached(at, "switch")) return undefined;
  const look = async () => {
    if (pulumi.runtime.isDryRun() && !reached(at, "shift")) {
      await pulumi.log.info("gate before the media's switch: looks when it is reached");
      return;
    }
    const own = { WANT: "present", SIDE: stage.sideOf("app"), LEAD_DAYS: String(leadDays) };
    refuse(
      "the media's switch",
      await ask(host, "gate/storage", { ...own, ...stage.settings, ...args.settings }),
    );
  };
  return new pulumi.ResourceHook("gate-storage", look, { onDryRun: true });
}
