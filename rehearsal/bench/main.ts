/** `npm run bench`: measures part after part, each in a lab of its own, and shows what came of it. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Report } from "../report/model";
import { load } from "./measure";
import { type Options, type Part, parseOptions, usage, UsageError } from "./options";
import { page } from "./page";
import { splitRehearsal } from "./rehearsal";
import { type Results, say } from "./results";
import { tables, text } from "./tables";
import { machine } from "./versions";

const repository = path.join(__dirname, "../..");

async function main(argv: string[]): Promise<number> {
  if (argv.includes("--help")) return (console.log(usage), 0);
  const o = parseOptions(argv);
  const results = blank();
  const scratch = mkdtempSync(path.join(tmpdir(), "trunkline-bench-"));
  try {
    for (const part of o.parts) {
      say(`measuring: ${part}`);
      const found = await measure(part, o, path.join(scratch, `${part}.json`)).catch((e: Error) => ({
        failures: { [part]: e.message },
      }));
      merge(results, found);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  console.log(tables(results).map(text).join("\n"));
  write(o.json, `${JSON.stringify(results, null, 2)}\n`);
  write(o.figures, page(results, ["npm run bench --", ...argv].join(" ")));
  return Object.keys(results.failures).length ? 1 : 0;
}

function blank(): Results {
  const git = ["rev-parse", "--short", "HEAD"];
  const commit = execFileSync("git", git, { cwd: repository, encoding: "utf8" }).trim();
  const at = new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC";
  return { at, commit, machine: machine(), versions: {}, load, failures: {} };
}

function merge(all: Results, found: Partial<Results>): void {
  const versions = { ...all.versions, ...found.versions };
  const failures = { ...all.failures, ...found.failures };
  Object.assign(all, found, { versions, failures });
}

async function measure(part: Part, o: Options, file: string): Promise<Partial<Results>> {
  if (part === "rehearsal") {
    const html = ["--html", `${file}.html`];
    await run(["rehearsal/run.sh", "--size", o.size, "--json", file, ...html]);
    return { rehearsal: splitRehearsal(read<Report>(file), o.size) };
  }
  // Peers that nobody has asked for cost nothing.
  if (part === "peers") await run(["rehearsal/bench/layer.sh"]);
  const measured = ["node", "--import", "tsx", "rehearsal/bench/part.ts", part, JSON.stringify(o), file];
  await run(["rehearsal/enter.sh", ...measured]);
  return read<Partial<Results>>(file);
}

const read = <T>(file: string) => JSON.parse(readFileSync(file, "utf8")) as T;

/** Runs a command to its end; what it prints is progress. */
function run([command = "", ...args]: string[]): Promise<void> {
  const child = spawn(command, args, { cwd: repository, stdio: ["ignore", 2, 2] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`${command} ${args[0] ?? ""} ended with ${signal ?? code}; its output stands above`),
        );
    });
  });
}

function write(file: string | undefined, content: string): void {
  if (!file) return;
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, content);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (e: unknown) => {
    console.error(e instanceof UsageError ? `${e.message}\n\n${usage}` : e);
    process.exit(2);
  },
);
