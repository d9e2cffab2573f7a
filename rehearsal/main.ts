/** `npm run rehearse`: parses, rehearses, reports. Runs inside rehearsal/enter.sh. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { withEnding } from "./ending";
import { faults } from "./faults";
import { examples, type Options, parseOptions, usage } from "./options";
import { giveUp } from "./usage";
import { rehearse, type Rehearsed, type Ui } from "./rehearse";
import { brokenOff, htmlReport, Live, runbook, terminalReport } from "./report";
import { sources } from "./sources";
import { Timeline } from "./timeline";
import type { World } from "./world";

async function main(argv: string[]): Promise<number> {
  if (argv.includes("--help")) return (console.log(usage), 0);
  const options = parseOptions(argv);
  if (options.fault === "list") return (listFaults(), 0);
  if (options.source.includes("list")) return (listSources(), 0);
  const { report, world, preview } = await rehearsed(options);
  console.log(terminalReport(report));
  write(options.json, json({ ...report, requests: undefined }));
  write(options.html, htmlReport(report));
  write(options.runbook, runbook(report, preview));
  if (options.html) console.log(`\nThe report, to look at: ${path.resolve(options.html)}`);
  if (options.keep) await keep(world);
  await world.stop();
  return report.ok ? 0 : 1;
}

/** The rehearsal, told as it goes; `--json` has its end even where it comes to none, and `--keep` holds there too. */
async function rehearsed(options: Options): Promise<Rehearsed> {
  const live = new Live();
  const timeline = new Timeline();
  const ui = (built: Ui["built"]): Ui => ({
    built,
    event: (e) => live.event(e),
    phase: (name) => live.phase(name),
    line: (text) => live.line(text),
  });
  const broken = (why: unknown): void => {
    live.stop();
    write(options.json, json(brokenOff(options, timeline, faults[options.fault ?? ""], why)));
    if (options.keep) console.error(why);
  };
  const ending = { broken, keep: options.keep ? keep : undefined };
  const done = await withEnding((built) => rehearse(options, ui(built), timeline), ending);
  live.stop();
  return done;
}

function listFaults(): void {
  for (const example of examples) {
    console.log(`npm run rehearse -- ${example} --fault …`);
    for (const [name, fault] of Object.entries(faults))
      if ((fault.example ?? "live-move") === example)
        console.log(`  ${name.padEnd(26)} in ${fault.phase.padEnd(10)} ${fault.title}`);
  }
}

function listSources(): void {
  for (const [name, { title }] of Object.entries(sources)) console.log(`${name.padEnd(26)} ${title}`);
}

function json(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function write(file: string | undefined, text: string): void {
  if (!file) return;
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, text);
}

/** Leaves the lab up until someone ends it. */
async function keep(world: World): Promise<void> {
  console.log("\nThe lab stays up. From another terminal:");
  for (const host of world.lab.hosts())
    console.log(`  rehearsal/attach.sh ${host.name}    # a shell on ${host.name}, ${host.address}`);
  console.log("Ctrl-C here ends it.");
  await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (e: unknown) => giveUp(e, usage),
);
