import { type ChildProcess, fork } from "node:child_process";

type Message = { id: number; ask: string; value?: unknown };
type Answer = { id: number; value?: unknown; error?: string };

/** A process of its own for a crowd, so that neither it nor the rehearsal waits for the other's event loop. */
export class Child {
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, { resolve: (v: unknown) => void; reject: (e: Error) => void }>();
  private asked = 0;
  private stderr = "";

  constructor(
    private readonly name: string,
    script: string,
  ) {
    this.process = fork(script, [], {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.process.stderr?.on("data", (b: Buffer) => (this.stderr = (this.stderr + b.toString()).slice(-4000)));
    this.process.on("message", (a: Answer) => {
      const w = this.waiting.get(a.id);
      this.waiting.delete(a.id);
      if (a.error === undefined) w?.resolve(a.value);
      else w?.reject(new Error(`${this.name}: ${a.error}`));
    });
    this.process.on("exit", (code, signal) => {
      const e = new Error(`the process of ${this.name} ended (${signal ?? code}): ${this.stderr.trim()}`);
      for (const w of this.waiting.values()) w.reject(e);
      this.waiting.clear();
    });
  }

  ask<T>(ask: string, value?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++this.asked;
      this.waiting.set(id, { resolve: resolve as (v: unknown) => void, reject });
      this.process.send({ id, ask, value } satisfies Message, (e) => {
        if (!e) return;
        this.waiting.delete(id);
        reject(new Error(`the process of ${this.name} is not there: ${this.stderr.trim() || e.message}`));
      });
    });
  }

  /** Waits for the process to be gone; it is expected to leave by itself after its last answer. */
  async gone(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const late = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    const exited = new Promise((resolve) => this.process.once("exit", resolve));
    if (this.process.connected) this.process.disconnect();
    await exited;
    clearTimeout(late);
  }
}

/** The other end: answers what is asked, and goes when the asker goes. */
export function serve(answers: Record<string, (value: never) => unknown>): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (m: Message) => {
    const reply = (a: Omit<Answer, "id">) => process.connected && process.send?.({ id: m.id, ...a });
    Promise.resolve()
      .then(() => answers[m.ask]?.(m.value as never))
      .then(
        (value) => reply({ value }),
        (e: Error) => reply({ error: e.stack ?? e.message }),
      );
  });
}
