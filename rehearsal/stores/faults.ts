import type { IncomingMessage } from "node:http";
import type { Refusal } from "./quirks";

/** An accident at a store: the next matching requests do not go as they should. */
export interface StoreFault {
  /**
   * slowdown: 503, as when too much is asked of it; forbidden: 403, as for a key that was revoked;
   * timeout: no answer at all; truncate: the connection breaks in the middle of the body.
   */
  kind: "slowdown" | "forbidden" | "timeout" | "truncate";
  /** How many requests. @default 1 */
  times?: number;
  /** Only these. @default all */
  method?: string;
  /** Only requests whose key matches. @default all */
  match?: RegExp;
  /** Only requests with a signature. @default true */
  signed?: boolean;
}

export const answers: Record<"slowdown" | "forbidden", Refusal> = {
  slowdown: { status: 503, code: "SlowDown", message: "Please reduce your request rate." },
  forbidden: {
    status: 403,
    code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.",
  },
};

/** Lets so many uploads through; the rest wait until they are released. */
export class Hold {
  private hit = () => {};
  private open = () => {};
  private readonly released = new Promise<void>((resolve) => (this.open = resolve));
  /** The first one waits. */
  readonly reached = new Promise<void>((resolve) => (this.hit = resolve));

  constructor(private left: number) {}

  release(): void {
    this.open();
  }

  async pass(): Promise<void> {
    if (this.left-- > 0) return;
    this.hit();
    await this.released;
  }
}

/** The accidents that are still to happen. */
export class Faults {
  /** Uploads wait here. */
  hold?: Hold;
  private pending: (StoreFault & { left: number })[] = [];
  /** How many requests each kind has hit so far. */
  readonly hit: Record<StoreFault["kind"], number> = { slowdown: 0, forbidden: 0, timeout: 0, truncate: 0 };

  add(fault: StoreFault): void {
    this.pending.push({ ...fault, left: fault.times ?? 1 });
  }

  heal(): void {
    this.pending = [];
    this.hold?.release();
    this.hold = undefined;
  }

  /** What happens to this request, if anything. */
  next(req: IncomingMessage, key: string, isSigned: boolean): StoreFault["kind"] | undefined {
    const fault = this.pending.find(
      (f) =>
        f.left > 0 &&
        (f.method === undefined || f.method === req.method) &&
        (f.match === undefined || f.match.test(key)) &&
        isSigned === (f.signed ?? true),
    );
    if (!fault) return undefined;
    fault.left--;
    this.hit[fault.kind]++;
    return fault.kind;
  }
}
