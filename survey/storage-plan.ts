import { type Phase, turning } from "./phase";
import type { PlannedStep } from "./plan";

/**
 * The steps that move the media to object storage, in the order of the runbook. They have phases of their own
 * (`mediaPhase`) with the same words, and run on the server that has the app.
 */
export const storagePlan = {
  "storage/tools": { on: "app", from: "prepare", seconds: 5 },
  "storage/host": { on: "app", from: "prepare", seconds: 4 },
  "storage/announce": { on: "app", from: "prepare", seconds: 30 },
  "storage/prune": { on: "app", from: "replicate", seconds: 20 },
  "storage/copy": { on: "app", from: "replicate", seconds: 5 },
  "storage/follow": { on: "app", from: "replicate", seconds: 3 },
  "storage/check": { on: "app", from: "shift", seconds: 5 },
  "storage/links": { on: "app", from: "switch", seconds: 3 },
  "storage/switch": { on: "app", from: "switch", seconds: 90 },
  "storage/verify": { on: "app", from: "settle", seconds: 10 },
  "storage/clean": { on: "app", from: "retire", seconds: 5 },
} as const satisfies Record<string, PlannedStep>;

export type StorageStep = keyof typeof storagePlan;

/** What of the configuration makes a storage step do nothing at all. */
export interface StorageChoices {
  /** Files of other servers are dropped first. */
  prunes: boolean;
  /** The instance's own nginx is the media host. */
  ownHost: boolean;
  /** The disk copy stays. */
  keepsLocal: boolean;
}

/** The storage steps that a run from `at` to `phase` has yet to move, in the order in which it will. */
export function storageStepsToCome(at: Phase, phase: Phase, choices: StorageChoices): StorageStep[] {
  const idle: Partial<Record<StorageStep, boolean>> = {
    "storage/prune": !choices.prunes,
    "storage/host": !choices.ownHost,
    "storage/clean": choices.keepsLocal,
  };
  return turning(storagePlan, at, phase).filter((step) => !idle[step]);
}
