import { duration } from "./format";
import type { Report, StepTime } from "./model";
import { stepsOf } from "./phases";

/** The migration as it went, for reading: what the preview said, then every phase with its steps. Markdown. */
export function runbook(report: Report, preview: string): string {
  const { phases, environment } = report;
  const told = Object.entries(environment).map(([name, value]) => `${name}: ${value}`);
  return [
    "# The runbook, as a rehearsal printed it",
    "",
    `\`npm run rehearse -- --runbook docs/runbook.md\` wrote this page (${told.join("; ")}). Go phase by phase, and look at`,
    "the instance after each: that it can be read, posted to, and that a post reaches another server.",
    "",
    "## `pulumi preview`",
    "",
    "```",
    preview.trimEnd(),
    "```",
    ...phases.flatMap((p) => [
      "",
      `## \`pulumi up -c phase=${p.phase}\``,
      "",
      `${duration(p.seconds)} in all. What changed:`,
      "",
      "| step | on | took | outcome |",
      "|---|---|---|---|",
      ...stepsOf(report, p)
        .filter((s) => s.outcome !== "unchanged")
        .map(row),
    ]),
    "",
    ...(report.switchover
      ? [`Writes waited ${Math.round(report.switchover.writePauseMs)} ms in the switchover.`, ""]
      : []),
    "certbot renews on the new server from now on what it renewed on the old one; of [any other certificate](sources.md#certificates-after-the-move) the preview tells the last day.",
    "",
  ].join("\n");
}

function row(step: StepTime): string {
  return `| \`${step.name}\` | ${step.host || "–"} | ${duration(step.seconds)} | ${step.outcome} |`;
}

/** What the program itself says in a preview: from the survey to the estimate, without the engine's lists. */
export function surveyText(output: string): string {
  const [, text = output] = output.split(/\n\s*Survey\n/);
  const [own = text] = text.split(/\n\s*(?:Outputs:|Resources:|\[Pulumi Neo\]|command:remote)/);
  const lines = `Survey\n${own}`.split("\n");
  const indent = Math.min(
    ...lines
      .slice(1)
      .filter((l) => l.trim())
      .map((l) => l.search(/\S/)),
  );
  return lines.map((l, i) => (i ? l.slice(indent) : l).trimEnd()).join("\n");
}
