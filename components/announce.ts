import * as pulumi from "@pulumi/pulumi";
import { type Estimate, estimatesOf, pauseOf } from "../survey/estimates";
import type { Finding } from "../survey/finding";
import { findingsOf } from "../survey/findings";
import { render, renderFinding } from "../survey/render";
import { stepsToCome } from "../survey/plan";
import { reached } from "../survey/phase";
import { type Cost, costOf, storageEstimates } from "../survey/storage-estimates";
import { storageStepsToCome } from "../survey/storage-plan";
import type { Survey } from "./survey";

/** What the admin is told before anything is registered. @throws Error where a finding forbids to go on. */
export async function announce(seen: Survey): Promise<Finding[]> {
  const findings = findingsOf(seen);
  // Before anything is begun, the whole way is shown.
  const { phase, target } = seen.migration;
  const looking = phase === "survey" && seen.at === "survey" && target.provider !== "none";
  const steps = stepsToCome(seen.at, { ...seen.migration, ...(looking && { phase: "settle" }) });
  const server = estimatesOf(steps, seen);
  const back = !reached(phase, seen.at);
  const estimates = back ? [...server, ...mediaToCome(seen)] : [...mediaToCome(seen), ...server];
  const pause = steps.includes("switchover/run") ? pauseOf(seen, seen.ownRttMs) : undefined;
  await pulumi.log.info(render(seen, findings, estimates, { pause, cost: costToCome(seen) }));
  const errors = findings.filter((f) => f.level === "error");
  if (errors.length)
    throw new pulumi.RunError(
      `the survey found ${errors.length === 1 ? "an error" : `${errors.length} errors`}; nothing has been changed:\n${errors.map(renderFinding).join("\n")}`,
    );
  return findings;
}

/** The server that has the app. */
const appOf = (seen: Survey) => (reached(seen.at, "shift") ? seen.target : seen.source);

function mediaToCome(seen: Survey): Estimate[] {
  const { storage, copyRateMiB } = seen.migration;
  if (!storage) return [];
  const looking = storage.phase === "survey" && seen.storageAt === "survey";
  const steps = storageStepsToCome(seen.storageAt, looking ? "settle" : storage.phase, {
    prunes: storage.pruneDays > 0 || storage.pruneCardDays > 0,
    ownHost: storage.cdn.kind === "nginx",
    keepsLocal: storage.keepLocal,
  });
  return storageEstimates(steps, appOf(seen), storage, copyRateMiB);
}

function costToCome(seen: Survey): Cost | undefined {
  const { storage } = seen.migration;
  return storage && !reached(seen.storageAt, "switch") ? costOf(appOf(seen), storage) : undefined;
}
