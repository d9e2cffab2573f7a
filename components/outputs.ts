import * as pulumi from "@pulumi/pulumi";
import { type Finding, size } from "../survey/finding";
import { nextOf } from "../survey/next";
import type { Raw } from "../survey/raw";
import { type Link } from "./chain";
import { Step } from "./step";
import type { Survey } from "./survey";

/**
 * The stack's outputs: where the migration was, where it goes, what was found, what every step said, and what
 * comes next.
 */
export function outputs(
  seen: Survey,
  findings: Finding[],
  links: (Link | undefined)[],
  more: Record<string, pulumi.Input<unknown>> = {},
): Record<string, pulumi.Input<unknown>> {
  const steps = links.filter((l) => l instanceof Step && l.resources.length > 0) as Step[];
  return {
    phase: seen.migration.phase,
    /** Where it stood when the run began. */
    at: seen.at,
    next: nextOf(seen.migration, seen.at),
    survey: { source: summary(seen.source), target: summary(seen.target) },
    findings: findings.map((f) => `${f.level} ${f.code}: ${f.title}`),
    steps: pulumi.all(Object.fromEntries(steps.map((s) => [s.name, s.result]))),
    ...more,
  };
}

/** What tells a server apart, and nothing that changes from one look to the next. */
function summary(host: Raw | undefined): Record<string, unknown> | null {
  if (!host) return null;
  return {
    system: `${host.host.os.name}, ${host.host.arch}`,
    mastodon: host.mastodon?.version ?? null,
    postgres: host.postgres && `${host.postgres.version} (${host.postgres.role})`.trim(),
    database: size(host.postgres?.clusterBytes),
    redis: host.redis && `${host.redis.version} (${host.redis.role})`.trim(),
    media: size(host.media?.bytes),
  };
}
