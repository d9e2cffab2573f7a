import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unwatchFile,
  watchFile,
} from "node:fs";
import path from "node:path";
import type { Engine } from "./engine/cli";

/** One thing that the engine told of a resource, in the words of its event log. */
export interface StackEvent {
  /** Wall-clock time at which the event was read, in milliseconds. */
  at: number;
  kind: "start" | "done" | "failed" | "message";
  /** Name of the resource, as in the program: `database/standby`. Empty for messages of the engine itself. */
  name: string;
  /** Pulumi type token. */
  type: string;
  /** create, update, same, delete, read, import, … */
  op: string;
  /** Text of a message; whether it is a line of live progress. */
  message?: string;
  ephemeral?: boolean;
  severity?: string;
  /** Outputs after the operation, where there are any. */
  outputs?: Record<string, unknown>;
}

export interface RunResult {
  ok: boolean;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Everything that the CLI printed, as a person would have seen it. */
  output: string;
  seconds: number;
  events: StackEvent[];
}

/** An engine run under way. */
export interface Run {
  readonly done: Promise<RunResult>;
  /** Ends the CLI and all that it started at once, as a dead laptop would. */
  kill(): void;
  /** Resolves when an event fits; rejects when the run ends without one. */
  when(fits: (e: StackEvent) => boolean): Promise<StackEvent>;
}

export interface StackOptions {
  /** The project: the folder with Pulumi.yaml. */
  project: string;
  engine: Engine;
  /** Scratch folder for state, config, event logs. */
  dir: string;
  name: string;
  /** PULUMI_DEBUG_PROVIDERS and the like. */
  env: Record<string, string>;
  onEvent?: (e: StackEvent) => void;
}

/**
 * The plain Pulumi CLI on the repository's own project. The project folder that the CLI sees is one of links to
 * the repository, so that the stack's file, which the CLI writes to, is a copy and the repository stays as it is.
 */
export class Stack {
  /** The project as the CLI sees it. */
  readonly folder: string;
  private runs = 0;

  constructor(private readonly o: StackOptions) {
    this.folder = path.join(o.dir, "project");
    mkdirSync(path.join(o.dir, "state"), { recursive: true });
    mkdirSync(this.folder, { recursive: true });
    for (const entry of readdirSync(o.project))
      if (!/^Pulumi\..+\.yaml$|^\.git$/.test(entry))
        symlinkSync(path.join(o.project, entry), path.join(this.folder, entry));
  }

  /** Makes the stack; the committed stack file, where there is one, is its first configuration. */
  async init(): Promise<void> {
    const file = `Pulumi.${this.o.name}.yaml`;
    if (existsSync(path.join(this.o.project, file)))
      copyFileSync(path.join(this.o.project, file), path.join(this.folder, file));
    await this.must(["stack", "init", this.o.name]);
  }

  /** Sets keys; one with an empty value is taken out. */
  async setConfig(values: Record<string, string>, secrets: Record<string, string> = {}): Promise<void> {
    for (const [k, v] of Object.entries(values))
      await this.must(v === "" ? ["config", "rm", k] : ["config", "set", k, "--", v]);
    for (const [k, v] of Object.entries(secrets))
      await this.must(["config", "set", "--secret", "--raw", k], v);
  }

  preview(args: string[] = []): Run {
    return this.start(["preview", ...args]);
  }

  up(args: string[] = []): Run {
    return this.start(["up", "--yes", "--skip-preview", ...args]);
  }

  /** Releases the lock that a killed run left behind, as its owner would by hand. */
  async cancel(): Promise<void> {
    await this.must(["cancel", "--yes"]);
  }

  async outputs(): Promise<Record<string, unknown>> {
    const r = await this.must(["stack", "output", "--json", "--show-secrets"]);
    return JSON.parse(r.output) as Record<string, unknown>;
  }

  /** The state as it lies on the disk, for tests that look for secrets in it. */
  stateText(): string {
    const file = path.join(this.o.dir, "state/.pulumi/stacks/trunkline", `${this.o.name}.json`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Runs a CLI command that has to succeed. */
  async must(args: string[], input?: string): Promise<RunResult> {
    const r = await this.start(args, input).done;
    if (!r.ok) throw new Error(`pulumi ${args[0]} ${args[1] ?? ""} failed (exit ${r.code}):\n${r.output}`);
    return r;
  }

  start(args: string[], input?: string): Run {
    const engine = args[0] === "up" || args[0] === "preview" || args[0] === "destroy";
    const log = path.join(this.o.dir, `events-${++this.runs}.json`);
    const full = [
      ...args.slice(0, 1),
      ...(args[0] === "stack" && args[1] === "init" ? [] : ["--stack", this.o.name]),
      ...(engine
        ? ["--event-log", log, "--non-interactive", "--color", "never", "--suppress-permalink"]
        : []),
      ...args.slice(1),
    ];
    const child = spawn(path.join(this.o.engine.cli, "pulumi"), ["--cwd", this.folder, ...full], {
      env: this.environment(),
      detached: true, // a process group of its own, so that kill() takes the plugins and the program along
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.on("error", () => undefined).end(input ?? "");
    return follow(child, engine ? log : undefined, this.o.onEvent);
  }

  /** What the CLI needs to be told, for those who start it in another way. */
  environment(): Record<string, string | undefined> {
    return {
      PATH: `${this.o.engine.cli}:${process.env["PATH"]}`,
      HOME: process.env["HOME"],
      LANG: "C.UTF-8",
      PULUMI_HOME: this.o.engine.home,
      // Without it a state file has a second one beside it, which a kill can leave empty, and no run can read on.
      PULUMI_BACKEND_URL: `file://${path.join(this.o.dir, "state")}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: "rehearsal",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DEBUG_COMMANDS: "true", // the event log is a flag for tools
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...this.o.env,
    };
  }
}

function follow(child: ChildProcess, log: string | undefined, onEvent?: (e: StackEvent) => void): Run {
  const started = Date.now();
  const events: StackEvent[] = [];
  const waiting = new Set<{ fits: (e: StackEvent) => boolean; take: (e: StackEvent) => void }>();
  let output = "";
  const keep = (b: Buffer) => (output += b.toString());
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const read = log ? tail(log, take) : () => undefined;
  function take(e: StackEvent): void {
    events.push(e);
    onEvent?.(e);
    for (const w of waiting) if (w.fits(e)) w.take(e);
  }
  const done = new Promise<RunResult>((resolve) => {
    child.on("close", (code, signal) => {
      read();
      resolve({ ok: code === 0, code, signal, output, seconds: (Date.now() - started) / 1000, events });
    });
  });
  return {
    done,
    kill: () => {
      if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    },
    when: (fits) =>
      new Promise((resolve, reject) => {
        const seen = events.find(fits);
        if (seen) return resolve(seen);
        const w = { fits, take: (e: StackEvent) => (waiting.delete(w), resolve(e)) };
        waiting.add(w);
        void done.then((r) => reject(new Error(`the run ended before what was waited for:\n${r.output}`)));
      }),
  };
}

/** Reads an event log as it grows; the returned function reads the rest and stops. */
function tail(file: string, take: (e: StackEvent) => void): () => void {
  let offset = 0;
  let rest = "";
  const read = () => {
    if (!existsSync(file)) return;
    const all = readFileSync(file);
    const lines = (rest + all.subarray(offset).toString()).split("\n");
    offset = all.length;
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const e = line.trim() ? parse(JSON.parse(line)) : undefined;
      if (e) take(e);
    }
  };
  watchFile(file, { interval: 100 }, read);
  return () => {
    unwatchFile(file, read);
    read();
  };
}

interface Metadata {
  urn: string;
  type: string;
  op: string;
  new?: { outputs?: Record<string, unknown> };
}

function parse(raw: Record<string, unknown>): StackEvent | undefined {
  const at = Date.now();
  const of = (key: string) => (raw[key] as { metadata: Metadata } | undefined)?.metadata;
  for (const [key, kind] of [
    ["resourcePreEvent", "start"],
    ["resOutputsEvent", "done"],
    ["resOpFailedEvent", "failed"],
  ] as const) {
    const m = of(key);
    if (m) return { at, kind, name: nameOf(m.urn), type: m.type, op: m.op, outputs: m.new?.outputs };
  }
  const d = raw["diagnosticEvent"] as
    { urn?: string; message: string; severity: string; ephemeral?: boolean } | undefined;
  if (!d) return undefined;
  const name = d.urn ? nameOf(d.urn) : "";
  const { severity, ephemeral } = d;
  return { at, kind: "message", name, type: "", op: "", message: d.message.trim(), severity, ephemeral };
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
