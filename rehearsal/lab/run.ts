import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface RunOptions {
  /** Text for the command's standard input; nothing by default. */
  input?: string;
  /** After this the command is killed and counts as failed. @default two minutes */
  timeoutMs?: number;
  /** Return a failure instead of throwing it. @default false */
  allowFail?: boolean;
  env?: Record<string, string>;
  /** Whose command it is, for messages. */
  where?: string;
  /** The command as messages show it. @default as it is */
  shown?: string[];
}

export interface RunOutput {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a command and waits for its end. Its streams are files, not pipes: /dev/stdin can be opened then (Node's
 * pipes are sockets, which can't), and a daemon that it leaves behind does not hold us.
 */
export async function run(argv: string[], o: RunOptions = {}): Promise<RunOutput> {
  const [stdin, stdout, stderr] = [scratchFile(o.input), scratchFile(), scratchFile()] as const;
  try {
    const code = await exitCode(argv, o, [stdin, stdout, stderr]);
    const output = { code, stdout: contents(stdout), stderr: contents(stderr) };
    if (code !== 0 && !o.allowFail) throw new Error(failure(argv, o, output));
    return output;
  } finally {
    for (const fd of [stdin, stdout, stderr]) closeSync(fd);
  }
}

/** Asks until `probe` says true, or throws what it said last: it returns true, or why not yet. */
export async function waitFor(
  what: string,
  deadlineMs: number,
  probe: () => Promise<true | string>,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await probe();
    if (answer === true) return;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s for ${what}; last: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function exitCode(argv: string[], o: RunOptions, stdio: readonly number[]): Promise<number> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio: [...stdio], env: o.env ?? process.env, detached: true });
  const limit = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), o.timeoutMs ?? 120_000);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 137));
  }).finally(() => clearTimeout(limit));
}

function failure(argv: string[], o: RunOptions, { code, stdout, stderr }: RunOutput): string {
  const tail = (text: string) => text.trimEnd().slice(-4000);
  const why: Record<number, string> = { 124: "it ran out of time", 137: "it was killed" };
  const end = why[code] ? `failed with ${code} (${why[code]})` : `failed with ${code}`;
  const said = [tail(stdout), tail(stderr)].filter(Boolean).join("\n") || "(it printed nothing)";
  return `${o.where ?? "lab"}: ${(o.shown ?? argv).join(" ").slice(0, 500)} ${end}:\n${said}`;
}

/** An open file without a name, so that nothing is left whatever happens. */
function scratchFile(content = ""): number {
  const folder = mkdtempSync(path.join(tmpdir(), "trunkline-"));
  const fd = openSync(path.join(folder, "stream"), "wx+");
  rmSync(folder, { recursive: true });
  if (content) writeSync(fd, content, 0);
  return fd;
}

function contents(fd: number): string {
  const buffer = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, buffer, 0, buffer.length, 0);
  return buffer.toString();
}
