/**
 * Prints what the survey can find, from the worlds in which the tests make it find it: `node --import tsx
 * docs/findings.ts > docs/findings.md`.
 */
import { type Finding, type Level } from "../survey/finding";
import { findingsOf } from "../survey/findings";
import { cases } from "../tests/unit/cases";

const order: Level[] = ["error", "warning", "note"];

export function findingsPage(): string {
  const found = cases.flatMap(([code, , , world]) => findingsOf(world).filter((f) => f.code === code));
  const kinds = new Map(found.map((f) => [`${f.level} ${f.code} ${f.title}`, f]));
  const sorted = [...kinds.values()].sort(
    (a, b) => order.indexOf(a.level) - order.indexOf(b.level) || a.code.localeCompare(b.code),
  );
  return [
    "# What the survey can find",
    "",
    "An error stops `pulumi preview` and `pulumi up` before anything is changed. An error marked with † can be accepted by",
    "naming its code in `acceptFindings`: then it is a warning, and the risk is yours. This page is made by `docs/findings.ts`",
    "from the survey's own tests; the evidence is an example.",
    "",
    "| code | level | what it is | evidence, for example | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...sorted.map(row),
    "",
  ].join("\n");
}

function row(f: Finding): string {
  const level = `${f.level}${f.acceptable ? " †" : ""}`;
  return `| ${[`\`${f.code}\``, level, f.title, f.evidence, f.remedy].map(cell).join(" | ")} |`;
}

function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

if (require.main === module) process.stdout.write(findingsPage());
