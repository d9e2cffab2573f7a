import * as pulumi from "@pulumi/pulumi";
import type { Survey } from "../../components/survey";
import { fingerprintOf } from "../../components/ssh";
import { positionOf } from "../../survey/position";
import { record } from "./cases/worlds";
import { cloud, migration } from "./configs";
import { type Calls, register, type Registered } from "./engine";
import { now, source, target } from "./raws";

/** The program's own index.ts with a survey that need not reach a server. Everything else is as it runs. */
export async function program(
  config: Record<string, string>,
  change: Partial<Survey> = {},
  base = cloud,
  calls: Calls = {},
  former: Record<string, unknown> = {},
): Promise<Registered[]> {
  const all = { ...base, ...config };
  pulumi.runtime.setAllConfig(Object.fromEntries(Object.entries(all).map(([k, v]) => [`trunkline:${k}`, v])));
  const m = migration(config, base);
  const seen = {
    migration: m,
    source: source(),
    target: undefined,
    unreachable: {},
    dns: [{ ...record, id: "zone/record-a" }],
    staying: [],
    mediaRecords: [],
    storageAt: "survey" as const,
    asked: { source: { fromMs: now, toMs: now }, target: { fromMs: now, toMs: now } },
    ownRttMs: 12,
    made: {},
    ...change,
  };
  const survey: Survey = { at: positionOf(seen.source, seen.target), ...seen };
  replace("../../components/turn", { takeTurn: async () => undefined });
  replace("../../components/survey", { survey: async () => survey });
  const index = require.resolve("../../index");
  delete require.cache[index];
  return register(() => (require(index) as () => Promise<unknown>)(), { calls, former });
}

/** The target as a later run finds it. */
export function found(): Pick<Survey, "target" | "there"> {
  const hostKey = "ssh-ed25519 c2VydmVyLWhvc3Qta2V5";
  const server = { side: "target", host: "198.18.1.10", port: 22, user: "root", privateKey: "" };
  return {
    target: target((t) => (t.trunkline.paths = ["/opt/trunkline"])),
    there: { ...server, hostKey, pinned: { fingerprint: fingerprintOf(hostKey) } },
  };
}

function replace(file: string, exports: unknown): void {
  const id = require.resolve(file);
  require.cache[id] = Object.assign(Object.create(module.constructor.prototype as object) as NodeModule, {
    id,
    filename: id,
    loaded: true,
    exports,
  });
}
