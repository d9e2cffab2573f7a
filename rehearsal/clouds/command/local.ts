/** command:local:Command and command:local:run. Not modelled: assetPaths, archivePaths. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Context, Resource } from "../resource";
import type { Json, Props } from "../values";
import { checkLogging } from "./check";
import { Output, previousOutput } from "./output";

/** Runs the command; a cancel or a timeout kills the shell alone, as the real plugin does. */
async function run(command: string, inputs: Props, before: Props, c: Context): Promise<Props> {
  const [shell = "/bin/sh", ...args] = (inputs["interpreter"] as string[] | undefined) ?? ["/bin/sh", "-c"];
  const output = new Output(c, command, inputs["logging"]);
  const child = spawn(shell, [...args, command], {
    cwd: (inputs["dir"] as string | undefined) ?? c.session.directory,
    env: { ...process.env, ...((inputs["environment"] ?? {}) as object), ...previousOutput(inputs, before) },
  });
  const kill = (): boolean => child.kill("SIGKILL");
  const timer = c.timeoutSeconds > 0 ? setTimeout(kill, c.timeoutSeconds * 1000) : undefined;
  c.session.signal.addEventListener("abort", kill);
  child.stdin.on("error", () => undefined);
  child.stdin.end(String(inputs["stdin"] ?? ""));
  try {
    const failed = await new Promise<string | undefined>((resolve, reject) => {
      const take = (stream: "stdout" | "stderr") => (data: Buffer) => {
        try {
          output.add(stream, data);
        } catch (e) {
          kill();
          reject(e);
        }
      };
      child.stdout.on("data", take("stdout"));
      child.stderr.on("data", take("stderr"));
      child.once("error", (e) => resolve(e.message));
      child.once("close", (code, signal) =>
        resolve(code === 0 ? undefined : signal ? `signal: ${signal}` : `exit status ${code}`),
      );
    });
    await output.finish();
    if (failed) throw output.failure(failed);
    return output.outputs();
  } finally {
    clearTimeout(timer);
    c.session.signal.removeEventListener("abort", kill);
  }
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

const COMMON = ["stdin", "logging", "interpreter", "dir", "environment", "addPreviousOutputInEnv"];

export const localCommand: Resource = {
  optional: ["create", "update", "delete", "triggers", ...COMMON],
  computed: ["addPreviousOutputInEnv"],
  replaceOn: ["triggers"],
  outputs: ["stdout", "stderr"],
  outputsFollowUpdate: true,
  check: (inputs) => checkLogging(inputs["logging"]),
  async create(inputs, c) {
    const id = c.name + randomBytes(4).toString("hex");
    const command = text(inputs["create"]);
    return {
      id,
      outputs: command === undefined ? { stdout: "", stderr: "" } : await run(command, inputs, {}, c),
    };
  },
  async update(_id, inputs, old, c) {
    const command = text(inputs["update"]) ?? text(inputs["create"]);
    return command === undefined ? undefined : run(command, inputs, old.outputs, c);
  },
  async delete(_id, old, c) {
    const command = text(old.outputs["delete"]);
    if (command !== undefined) await run(command, old.outputs, old.outputs, c);
  },
};

/** An invoke: it runs at every preview and at every up. */
export async function localRun(args: Props, c: Context): Promise<Props> {
  const command = text(args["command"]);
  if (command === undefined) throw new Error('command:local:run: missing required argument "command"');
  for (const name of ["assetPaths", "archivePaths"]) {
    if (args[name] !== undefined) throw new Error(`command:local:run: the stand-in has no ${name}`);
  }
  return { ...args, ...(await run(command, args, {}, c)) };
}
