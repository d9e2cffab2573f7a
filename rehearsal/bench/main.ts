/** `npm run bench`: measures part after part, each in a lab of its own, and shows what came of it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Report } from "../report/model";
import { type Options, type Part, parseOptions, usage } from "./options";
import { giveUp } from "../usage";
import { page } from "./page";
import { plot } from "./plot";
import { splitRehearsal } from "./rehearsal";
import { type Found, type Results, say, type Stamp } from "./results";
import { merge, open, put } from "./store";
import { tables, text } from "./tables";

const repository = path.join(__dirname, "../..");

let child: ChildProcess | undefined;
let stopped = false;

async function main(argv: string[]): Promise<number> {
  if (argv.includes("--help")) return (console.log(usage), 0);
  const o = parseOptions(argv);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  const results = open(o.json);
  for (const part of o.parts) if (!stopped) await measureInto(results, part, o);
  console.log(tables(results).map(text).join("\n"));
  if (o.figures) writePage(results, o.figures);
  return o.parts.some((part) => results.failures[part]) ? 1 : 0;
}

/** What was found until then is kept. */
function stop(): void {
  stopped = true;
  child?.kill("SIGTERM");
}

/** Measures a part; what it finds is on the disk before the next one begins, however it ends. */
async function measureInto(results: Results, part: Part, o: Options): Promise<void> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "trunkline-bench-"));
  const file = path.join(scratch, "found.json");
  const stamp = now();
  say(`measuring: ${part}`);
  try {
    await measure(part, o, file);
    delete results.failures[part];
  } catch (e) {
    results.failures[part] = stopped ? "stopped before its end" : (e as Error).message;
  }
  // What other parts have measured before they failed counts; a rehearsal is measured as a whole.
  if (existsSync(file) && !(part === "rehearsal" && results.failures[part]))
    merge(results, read(part, file, o), stamp);
  rmSync(scratch, { recursive: true });
  put(o.json, `${JSON.stringify(results, null, 1)}\n`);
  say(`${part}: ${results.failures[part] ?? "done"}; results are in ${o.json}`);
}

function now(): Stamp {
  const git = ["rev-parse", "--short", "HEAD"];
  const commit = execFileSync("git", git, { cwd: repository, encoding: "utf8" }).trim();
  const busy = Math.round((os.loadavg()[0] ?? 0) * 10) / 10;
  return { at: `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`, commit, busy };
}

async function measure(part: Part, o: Options, file: string): Promise<void> {
  if (part === "rehearsal")
    return run(["rehearsal/run.sh", "--size", o.size, "--json", file, "--html", `${file}.html`]);
  // Peers that nobody has asked for cost nothing.
  if (part === "peers") await run(["rehearsal/bench/layer.sh"]);
  const measured = ["node", "--import", "tsx", "rehearsal/bench/part.ts", part, JSON.stringify(o), file];
  await run(["rehearsal/enter.sh", ...measured]);
}

function read(part: Part, file: string, o: Options): Found {
  const found: unknown = JSON.parse(readFileSync(file, "utf8"));
  return part === "rehearsal" ? { rehearsal: [splitRehearsal(found as Report, o.size)] } : (found as Found);
}

/** Runs a command to its end; what it prints is progress. */
function run([command = "", ...args]: string[]): Promise<void> {
  const started = (child = spawn(command, args, { cwd: repository, stdio: ["ignore", 2, 2] }));
  return new Promise((resolve, reject) => {
    started.once("error", reject);
    started.once("exit", (code, signal) => {
      const how = `${command} ${args[0] ?? ""} ended with ${signal ?? code}; its output stands above`;
      if (code === 0) resolve();
      else reject(new Error(how));
    });
  });
}

function writePage(results: Results, file: string): void {
  const picture = `${file.replace(/\.md$/, "")}.svg`;
  put(picture, plot(results));
  put(file, page(results, path.basename(picture)));
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (e: unknown) => giveUp(e, usage),
);
