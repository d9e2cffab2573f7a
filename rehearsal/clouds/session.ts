/** One engine's connection to one stand-in provider: its configuration, its log, its end. */
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import type { Props } from "./values";

export type Severity = "debug" | "info" | "warning" | "error";

const SEVERITY = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
};

export class Session {
  /** The provider's configuration, secrets unwrapped. */
  config: Props = {};
  private engine?: EngineClient;
  private readonly cancel = new AbortController();
  private readonly closers = new Set<() => void>();
  private running = 0;
  private lost = false;

  /** Relative asset paths are relative to the program's folder, which an attached plugin is not told. */
  constructor(readonly directory: string) {}

  get signal(): AbortSignal {
    return this.cancel.signal;
  }

  connect(address: string): void {
    this.engine?.close();
    this.engine = address ? new EngineClient(address, grpc.credentials.createInsecure()) : undefined;
  }

  /** Shows a line at a resource; an ephemeral one is seen live and not kept. Resolves when the engine has it. */
  log(severity: Severity, message: string, urn = "", ephemeral = false): Promise<void> {
    const request = new LogRequest()
      .setSeverity(SEVERITY[severity])
      .setMessage(message)
      .setUrn(urn)
      .setEphemeral(ephemeral);
    return new Promise((resolve) => {
      if (!this.engine) return resolve();
      // A line that the engine cannot take any more (it was killed) is no reason to stop the work.
      this.engine.log(request, new grpc.Metadata(), { deadline: Date.now() + 5_000 }, () => resolve());
    });
  }

  /** Runs one request; `gone` says that the engine was killed while it ran. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.running++;
    try {
      return await work();
    } finally {
      this.running--;
      if (this.running === 0 && (this.lost || this.signal.aborted)) this.end();
    }
  }

  gone(): void {
    this.lost = true;
    if (this.running === 0) this.end();
  }

  /** Closes something when this engine has gone. */
  closeAtEnd(close: () => void): void {
    if (this.signal.aborted) close();
    else this.closers.add(close);
  }

  /** The engine cancelled (Ctrl-C), or ended as usual: it sends Cancel in both cases. */
  end(): void {
    this.cancel.abort();
    for (const close of this.closers) close();
    this.closers.clear();
    // What cannot be cancelled is still heard until it ends.
    if (this.running > 0) return;
    this.engine?.close();
    this.engine = undefined;
  }
}
