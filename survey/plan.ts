import type { Migration } from "../config";
import { type Phase, turning } from "./phase";
import { storagePlan, type StorageStep } from "./storage-plan";

export interface PlannedStep {
  /** The server that it runs on; `app`: the one that serves the app while the media move. */
  on: "source" | "target" | "app";
  /** The first phase in which its end is wanted. */
  from: Phase;
  /** The phase from which its end is unwanted again. Left out: wanted for good. */
  until?: Phase;
  /** How long it takes by experience, for the preview. Sizes that matter are added to it (estimates.ts). */
  seconds: number;
}

/**
 * Every step there is: where it runs, and in which phases its end is wanted. The order is that of the runbook
 * (index.ts), and a test holds the two together. The standby and the replica stay in retire: by then they are
 * the primaries.
 */
export const plan = {
  "access/grant": { on: "source", from: "prepare", until: "retire", seconds: 2 },
  "host/base": { on: "target", from: "prepare", seconds: 60 },
  "app/tree": { on: "target", from: "prepare", seconds: 5 },
  "app/secrets": { on: "target", from: "prepare", seconds: 3 },
  "web/certificates": { on: "target", from: "prepare", seconds: 3 },
  "web/site": { on: "target", from: "prepare", seconds: 4 },
  "database/publish": { on: "source", from: "replicate", until: "retire", seconds: 3 },
  "switchover/agent": { on: "source", from: "replicate", until: "retire", seconds: 3 },
  "tunnel/up": { on: "target", from: "replicate", until: "retire", seconds: 5 },
  "database/standby": { on: "target", from: "replicate", seconds: 8 },
  "database/check": { on: "target", from: "replicate", seconds: 2 },
  "pooler/up": { on: "target", from: "replicate", seconds: 4 },
  "redis/replica": { on: "target", from: "replicate", seconds: 3 },
  "media/copy": { on: "target", from: "replicate", seconds: 3 },
  "media/follow": { on: "target", from: "replicate", until: "shift", seconds: 2 },
  "app/prove": { on: "target", from: "replicate", seconds: 3 },
  "app/serve": { on: "target", from: "shift", seconds: 20 },
  "sidekiq/quiet": { on: "source", from: "shift", seconds: 15 },
  "web/proxy": { on: "source", from: "shift", until: "retire", seconds: 3 },
  "media/finish": { on: "target", from: "shift", seconds: 5 },
  "sidekiq/run": { on: "target", from: "shift", seconds: 15 },
  "app/stop": { on: "source", from: "shift", seconds: 5 },
  "switchover/run": { on: "target", from: "switch", seconds: 5 },
  "switchover/check": { on: "target", from: "switch", seconds: 3 },
  "dns/wait": { on: "target", from: "switch", seconds: 30 },
  "backup/run": { on: "target", from: "settle", seconds: 8 },
  "backup/prove": { on: "target", from: "settle", seconds: 8 },
  "web/renewal": { on: "target", from: "settle", seconds: 5 },
  "feeds/build": { on: "target", from: "switch", seconds: 60 },
  "host/retire": { on: "source", from: "retire", seconds: 10 },
} as const satisfies Record<string, PlannedStep>;

export type MoveStep = keyof typeof plan;
export type StepName = MoveStep | StorageStep;

export function planned(step: StepName): PlannedStep {
  return { ...plan, ...storagePlan }[step];
}

/** The steps of the server's move that a run from `at` has yet to move, in the order in which it will. */
export function stepsToCome(
  at: Phase,
  { phase, carryRedis }: Pick<Migration, "phase" | "carryRedis">,
): MoveStep[] {
  return turning(plan, at, phase).filter((step) => step !== "feeds/build" || !carryRedis);
}
