import * as pulumi from "@pulumi/pulumi";
import { estimatesOf, pauseOf } from "../survey/estimates";
import type { Finding } from "../survey/finding";
import { findingsOf } from "../survey/findings";
import { render, renderFinding } from "../survey/render";
import { stepsToCome } from "../survey/plan";
import type { Survey } from "./survey";

/** What the admin is told before anything is registered. @throws Error where a finding forbids to go on. */
export async function announce(seen: Survey): Promise<Finding[]> {
  const findings = findingsOf(seen);
  // Before anything is begun, the whole way is shown.
  const { phase, target } = seen.migration;
  const looking = phase === "survey" && seen.at === "survey" && target.provider !== "none";
  const steps = stepsToCome(seen.at, { ...seen.migration, ...(looking && { phase: "settle" }) });
  const estimates = estimatesOf(steps, seen.source, seen.migration);
  const pause = steps.includes("switchover/run") ? pauseOf(seen, seen.ownRttMs) : undefined;
  await pulumi.log.info(render(seen, findings, estimates, pause));
  const errors = findings.filter((f) => f.level === "error");
  if (errors.length)
    throw new pulumi.RunError(
      `the survey found ${errors.length === 1 ? "an error" : `${errors.length} errors`}; nothing has been changed:\n${errors.map(renderFinding).join("\n")}`,
    );
  return findings;
}
