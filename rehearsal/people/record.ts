import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import path from "node:path";

/** Wall-clock time in milliseconds, with fractions, from a clock that never jumps. */
export const now = (): number => performance.timeOrigin + performance.now();

/**
 * A journal, a JSON object a line. An acknowledgement is in the kernel's hands before the next request starts, so
 * that a killed process has not forgotten it; the many samples of latency are written in batches.
 */
export class Journal {
  private readonly fd: number;
  private pending = "";
  private timer?: NodeJS.Timeout;
  private closed = false;

  constructor(
    readonly file: string,
    private readonly batchMs = 0,
  ) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.fd = openSync(file, "a");
  }

  /** What is still under way when the journal is closed has nobody who reads of it. */
  write(entry: object): void {
    if (this.closed) return;
    this.pending += JSON.stringify(entry) + "\n";
    if (this.batchMs === 0) return this.flush();
    this.timer ??= setTimeout(() => this.flush(), this.batchMs);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending) writeSync(this.fd, this.pending);
    this.pending = "";
  }

  close(): void {
    this.flush();
    this.closed = true;
    closeSync(this.fd);
  }
}
