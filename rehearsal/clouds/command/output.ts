/** What becomes of a command's output, the same for remote and local commands. */
import type { Context } from "../resource";
import type { Json, Props } from "../values";

/** The longest line that the real plugin's scanner takes. */
const LONGEST_LINE = 64 * 1024;

export class LineTooLong extends Error {
  constructor(command: string) {
    super(
      `a line of more than 64 KiB without a newline came from ${JSON.stringify(command)}: the official command provider ` +
        `1.2.1 hangs for ever on that, unless logging is "none". Write shorter lines, or set logging: "none".`,
    );
  }
}

/** Collects both streams, and shows each line live where `logging` asks for it. */
export class Output {
  private readonly stdout: Buffer[] = [];
  private readonly stderr: Buffer[] = [];
  private readonly both: Buffer[] = [];
  private partial = "";
  private shown: Promise<void> = Promise.resolve();

  constructor(
    private readonly c: Context,
    private readonly command: string,
    private readonly logging: Json | undefined,
  ) {}

  /** Throws `LineTooLong` where the real plugin would hang. */
  add(stream: "stdout" | "stderr", data: Buffer): void {
    this[stream].push(data);
    this.both.push(data);
    const logged =
      this.logging === undefined || this.logging === stream || this.logging === "stdoutAndStderr";
    if (logged) this.show(data);
  }

  private show(data: Buffer): void {
    const lines = (this.partial + data.toString("utf8")).split("\n");
    this.partial = lines.pop() ?? "";
    const longest = Math.max(this.partial.length, ...lines.map((line) => line.length));
    if (longest >= LONGEST_LINE) throw new LineTooLong(this.command);
    for (const line of lines) this.say(line);
  }

  private say(line: string): void {
    this.shown = this.shown.then(() => this.c.session.log("info", line.replace(/\r$/, ""), this.c.urn, true));
  }

  /** Waits until the engine has every line. */
  async finish(): Promise<void> {
    if (this.partial) this.say(this.partial);
    this.partial = "";
    await this.shown;
  }

  outputs(): Props {
    const text = (parts: Buffer[]): string => Buffer.concat(parts).toString("utf8").replace(/\n$/, "");
    return { stdout: text(this.stdout), stderr: text(this.stderr) };
  }

  /** The real plugin's error: it prints the whole command and all of its output in clear. */
  failure(why: string): Error {
    return new Error(
      `${why}: running ${JSON.stringify(this.command)}:\n${Buffer.concat(this.both).toString("utf8")}`,
    );
  }
}

/** The previous run's output, offered to the next one in its environment. */
export function previousOutput(inputs: Props, outputs: Props): Record<string, string> {
  if (inputs["addPreviousOutputInEnv"] === false) return {};
  const given = { PULUMI_COMMAND_STDOUT: outputs["stdout"], PULUMI_COMMAND_STDERR: outputs["stderr"] };
  return Object.fromEntries(Object.entries(given).filter(([, v]) => v)) as Record<string, string>;
}
