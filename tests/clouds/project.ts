/** A tiny Pulumi project of a test's own, run by the real CLI. */
import "./loopback";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const repository = path.join(__dirname, "../..");
const languageHost = path.join(repository, "rehearsal/engine/language");

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The CLI that the rehearsal uses, or one on PATH. */
export function findPulumi(): string | undefined {
  const ours = execFileSync(path.join(repository, "rehearsal/engine/cli.sh"), ["--path"], {
    encoding: "utf8",
  }).trim();
  // npm puts its launcher on PATH; it would download.
  const folders = (process.env["PATH"] ?? "").split(":").filter((f) => !f.includes("node_modules"));
  return [ours, ...folders.map((f) => path.join(f, "pulumi"))].find(isExecutable);
}

export interface Result {
  code: number | null;
  output: string;
}

export class Project {
  readonly dir = mkdtempSync(path.join(tmpdir(), "trunkline-project-"));

  constructor(
    private readonly pulumi: string,
    private readonly env: Record<string, string>,
    /** Folders of providers that are started by the engine itself, by name. @default - none */
    providers: Record<string, string> = {},
  ) {
    const yaml = [
      "name: tiny",
      "runtime:",
      "  name: nodejs",
      "  options:",
      "    nodeargs: --import tsx",
      "    typescript: false",
      ...(Object.keys(providers).length ? ["plugins:", "  providers:"] : []),
      ...Object.entries(providers).flatMap(([name, folder]) => [
        `    - name: ${name}`,
        `      path: ${folder}`,
      ]),
    ];
    writeFileSync(path.join(this.dir, "Pulumi.yaml"), `${yaml.join("\n")}\n`);
    writeFileSync(path.join(this.dir, "package.json"), '{ "name": "tiny", "main": "index.ts" }\n');
    symlinkSync(path.join(repository, "node_modules"), path.join(this.dir, "node_modules"));
    for (const folder of ["state", "home"]) mkdirSync(path.join(this.dir, folder));
    this.sync("stack", "init", "test");
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${languageHost}:${path.dirname(this.pulumi)}:${process.env["PATH"]}`,
      PULUMI_HOME: path.join(this.dir, "home"),
      PULUMI_BACKEND_URL: `file://${this.dir}/state`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...this.env,
    };
  }

  private sync(...args: string[]): void {
    execFileSync(this.pulumi, args, { cwd: this.dir, env: this.environment(), stdio: "ignore" });
  }

  program(source: string): void {
    writeFileSync(path.join(this.dir, "index.ts"), source);
  }

  /** Starts `pulumi` and hands the process over. */
  start(...args: string[]): { child: ChildProcess; result: Promise<Result> } {
    const options = {
      cwd: this.dir,
      env: this.environment(),
      stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
    };
    const child = spawn(this.pulumi, [...args, "--non-interactive"], options);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    return {
      child,
      result: new Promise((resolve) => child.once("close", (code) => resolve({ code, output }))),
    };
  }

  run(...args: string[]): Promise<Result> {
    return this.start(...args).result;
  }

  up(...args: string[]): Promise<Result> {
    return this.run("up", "--yes", "--skip-preview", ...args);
  }

  /** The state as it lies on disk. */
  state(): string {
    return readFileSync(path.join(this.dir, "state/.pulumi/stacks/tiny/test.json"), "utf8");
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
