import type { WriteStream } from "node:tty";
import { bytes, duration } from "./format";

/** What the engine tells of a step as it runs; `StackEvent` is one. */
export interface Told {
  at: number;
  kind: "start" | "done" | "failed" | "message";
  name: string;
  /** Pulumi type token. @default - that of a step */
  type?: string;
  message?: string;
}

type Out = Pick<NodeJS.WriteStream, "write"> & Partial<Pick<WriteStream, "isTTY" | "columns">>;

/** Plain lines come at most this often, so that a log stays readable. */
const everyMs = 5000;

/**
 * Progress while a rehearsal runs: phase, steps, and what they say of bytes, rate and time left. On a terminal this
 * is one line that is written over; anywhere else plain lines, one in five seconds at most.
 */
export class Live {
  private phaseName = "";
  private phaseAt = 0;
  private readonly running = new Map<string, { at: number; said: string }>();
  private crowd = "";
  private lastPlain = 0;
  private lastLine = "";
  private drawn = false;
  private readonly timer?: NodeJS.Timeout;

  constructor(
    private readonly out: Out = process.stderr,
    private readonly clock: () => number = Date.now,
  ) {
    if (out.isTTY) this.timer = setInterval(() => this.draw(), 500).unref();
  }

  /** A phase begins. */
  phase(name: string): void {
    if (this.phaseName) this.line(`${this.phaseName} took ${duration((this.clock() - this.phaseAt) / 1000)}`);
    this.phaseName = name;
    this.phaseAt = this.clock();
    this.running.clear();
    this.update();
  }

  /** Something happened in the engine. */
  event(e: Told): void {
    // The stack, its providers and what it remembers are the engine's own.
    if (e.kind === "start" && !e.type?.startsWith("pulumi:"))
      this.running.set(e.name, { at: e.at, said: "" });
    if (e.kind === "done" || e.kind === "failed") this.running.delete(e.name);
    if (e.kind === "failed") this.line(`${e.name} failed`);
    const step = this.running.get(e.name);
    if (e.kind === "message" && step && e.message) step.said = e.message.split("\n").at(-1) ?? "";
    this.update();
  }

  /** How the people are doing, at the end of the status line. */
  people(text: string): void {
    this.crowd = text;
    this.update();
  }

  /** A line that stays. */
  line(text: string): void {
    this.erase();
    this.out.write(`${stamp(this.clock())} ${text}\n`);
    this.draw();
  }

  /** Takes the status line away. */
  stop(): void {
    clearInterval(this.timer);
    this.erase();
  }

  private update(): void {
    if (this.out.isTTY) return this.draw();
    const line = this.status();
    if (line === this.lastLine || this.clock() - this.lastPlain < everyMs) return;
    this.lastPlain = this.clock();
    this.lastLine = line;
    this.out.write(`${stamp(this.clock())} ${line}\n`);
  }

  private status(): string {
    const [name, step] = [...this.running].at(-1) ?? [];
    const doing = step && name ? [name, step.said, duration((this.clock() - step.at) / 1000)] : [];
    return [this.phaseName, ...doing, this.crowd].filter((part) => part !== "").join(" · ");
  }

  private draw(): void {
    if (!this.out.isTTY || !this.phaseName) return;
    const line = this.status().slice(0, (this.out.columns ?? 80) - 1);
    this.out.write(`\r\x1b[2K${line}`);
    this.drawn = true;
  }

  private erase(): void {
    if (this.drawn) this.out.write("\r\x1b[2K");
    this.drawn = false;
  }
}

/** Progress of something counted in bytes: how far, how fast, how long still. */
export class Meter {
  private readonly seen: { at: number; bytes: number }[] = [];

  constructor(
    private readonly total: number,
    private readonly clock: () => number = Date.now,
  ) {}

  /** Notes how far it is, and says so: `1.2 GiB of 4.0 GiB, 80.0 MiB/s, 36 s left`. */
  at(done: number): string {
    const now = this.clock();
    this.seen.push({ at: now, bytes: done });
    while ((this.seen[0]?.at ?? now) < now - 10_000 && this.seen.length > 2) this.seen.shift();
    const first = this.seen[0];
    const rate = first && now > first.at ? ((done - first.bytes) / (now - first.at)) * 1000 : 0;
    const left = rate > 0 ? `, ${bytes(rate)}/s, ${duration((this.total - done) / rate)} left` : "";
    return `${bytes(done)} of ${bytes(this.total)}${left}`;
  }
}

function stamp(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
