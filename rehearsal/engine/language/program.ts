import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import type { RunRequest } from "@pulumi/pulumi/proto/language_pb";

/** How a program ended: `bail` means that it has already told the user why. */
export interface ProgramResult {
  error: string;
  bail: boolean;
}

/** Exit code by which @pulumi/pulumi/cmd/run says that the error was already shown. */
const ALREADY_REPORTED = 32;
/** How long a program may take to end after an interrupt before it is killed. */
const GRACE_MS = 5_000;

/** The `runtime.options` of Pulumi.yaml that this host honours. */
interface Options {
  typescript: boolean;
  tsconfig: string;
  nodeargs: string[];
}

function parseOptions(raw: Record<string, unknown>): Options {
  const { typescript = true, tsconfig = "", nodeargs = "" } = raw;
  if (typeof typescript !== "boolean") throw new Error("typescript option must be a boolean");
  if (typeof tsconfig !== "string") throw new Error("tsconfigpath option must be a string");
  if (typeof nodeargs !== "string") throw new Error("nodeargs option must be a string");
  return { typescript, tsconfig, nodeargs: splitWords(nodeargs) };
}

/** Splits as a shell would: words, single and double quotes, backslashes; nothing is expanded. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const word = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gy;
  let at = text.search(/\S|$/);
  while (at < text.length) {
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    if (!found) throw new Error(`nodeargs: unbalanced quote in ${JSON.stringify(text)}`);
    words.push(unquote(found));
    at += found.length;
    while (/\s/.test(text[at] ?? "")) at++;
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single, double, escaped) =>
    single !== undefined ? single : double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : escaped,
  );
}

/** The configuration as the SDK reads it from its environment: `namespace:config:name`. */
function configOf(request: RunRequest): string {
  const config: Record<string, string> = {};
  request.getConfigMap().forEach((value, key) => {
    const parts = key.split(":");
    config[`${parts[0]}:config:${parts.slice(parts.length > 2 ? 2 : 1).join(":")}`] = value;
  });
  return JSON.stringify(config);
}

/** The arguments of @pulumi/pulumi/cmd/run, those that are empty left out, as the vendor's host gives them. */
function argumentsOf(request: RunRequest, engine: string): string[] {
  const info = request.getInfo();
  const flags: [string, string][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", info?.getProgramDirectory() ?? request.getPwd()],
    ["parallel", String(request.getParallel())],
  ];
  const given = flags.filter(([, value]) => value !== "").flatMap(([name, value]) => [`--${name}`, value]);
  const dryRun = request.getDryrun() ? ["--dry-run"] : [];
  return [
    ...given,
    ...dryRun,
    info?.getEntryPoint() || request.getProgram() || ".",
    ...request.getArgsList(),
  ];
}

/** One run of a Pulumi program by Node. */
export class Program {
  private child?: ChildProcess;
  private interrupted = false;

  constructor(
    private readonly request: RunRequest,
    private readonly engine: string,
  ) {}

  /** Runs the program to its end; its output goes to our own, where the engine reads it. */
  run(): Promise<ProgramResult> {
    const info = this.request.getInfo();
    const directory = info?.getProgramDirectory() ?? this.request.getPwd();
    const options = parseOptions(info?.getOptions()?.toJavaScript() ?? {});
    const runner = createRequire(path.join(directory, "x.js")).resolve("@pulumi/pulumi/cmd/run");
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      PULUMI_CONFIG: configOf(this.request),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(this.request.getConfigsecretkeysList()),
    };
    if (options.typescript) env.PULUMI_NODEJS_TYPESCRIPT = "true";
    if (options.tsconfig) env.PULUMI_NODEJS_TSCONFIG_PATH = options.tsconfig;
    const args = [...options.nodeargs, runner, ...argumentsOf(this.request, this.engine)];
    return this.follow(spawn("node", args, { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  private follow(child: ChildProcess): Promise<ProgramResult> {
    this.child = child;
    if (this.interrupted) this.interrupt();
    // Piped through, not inherited: a child that makes its stdout non-blocking would do so to ours as well.
    child.stdout?.on("data", (data: Buffer) => process.stdout.write(data));
    child.stderr?.on("data", (data: Buffer) => process.stderr.write(data));
    return new Promise((resolve) => {
      child.once("error", (e) =>
        resolve({
          error: `Problem executing program (could not run language executor): ${e.message}`,
          bail: false,
        }),
      );
      child.once("close", (code, signal) => resolve(resultOf(code, signal)));
    });
  }

  /** Asks the program to end; kills it when it does not. */
  interrupt(): void {
    this.interrupted = true;
    this.child?.kill("SIGINT");
    setTimeout(() => this.kill(), GRACE_MS).unref();
  }

  kill(): void {
    this.child?.kill("SIGKILL");
  }
}

function resultOf(code: number | null, signal: NodeJS.Signals | null): ProgramResult {
  if (code === 0) return { error: "", bail: false };
  if (code === ALREADY_REPORTED) return { error: "", bail: true };
  const how = signal ? `Program was ended by ${signal}` : `Program exited with non-zero exit code: ${code}`;
  return { error: how, bail: false };
}
