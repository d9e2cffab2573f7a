import https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";
import { Names } from "./dns";
import { now } from "./record";

export interface WebOptions {
  domain: string;
  /** Certificate of the authority that signed the site's. */
  ca: string;
  /** Name servers, `address` or `address:port`. */
  dns: string[];
  port?: number;
  timeoutMs?: number;
  onSample: (s: Sample) => void;
  onMoved?: (from: string, to: string) => void;
}

export interface Ask {
  kind: string;
  method: string;
  /** On the instance. */
  path?: string;
  /** Anywhere. */
  url?: URL;
  token?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Whether it changes something. */
  write?: boolean;
}

/** One try of one request: what it cost, and how it ended. Status 0 is a network error, told in `error`. */
export interface Sample {
  t: number;
  ms: number;
  kind: string;
  ok: boolean;
  write: boolean;
  status: number;
  error?: string;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  ok: boolean;
  error?: string;
}

/** How browsers and apps reach the instance: HTTPS, keep-alive, the address by DNS for as long as its TTL says. */
export class Web {
  /** Requests that went out again at once, because the kept-alive connection had been closed under them. */
  reconnected = 0;
  private readonly names: Names;
  private agent: https.Agent;

  constructor(private readonly o: WebOptions) {
    this.names = new Names(o.dns, (name, from, to) => this.move(name, from, to));
    this.agent = this.fresh();
  }

  readonly lookup: LookupFunction = (name, options, callback) => {
    this.names.address(name).then(
      (address) => (options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)),
      (e: NodeJS.ErrnoException) => callback(e, ""),
    );
  };

  /** One request; a sample is taken of it however it ends. Never rejects. */
  async send(ask: Ask): Promise<Reply> {
    const t = now();
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let body: Buffer = Buffer.alloc(0);
    let error: string | undefined;
    try {
      await this.names.address(ask.url?.hostname ?? this.o.domain); // an expired name is asked for again even over kept connections
      ({ status, headers, body } = await this.attempt(ask));
    } catch (e) {
      error = (e as NodeJS.ErrnoException).code ?? (e as Error).message;
    }
    const ok = status >= 200 && status < 400;
    const sample = { t, ms: now() - t, kind: ask.kind, ok, write: ask.write ?? false, status };
    this.o.onSample(error ? { ...sample, error } : sample);
    return { status, headers, body, ok, error };
  }

  close(): void {
    this.agent.destroy();
  }

  /** The instance's address. */
  get home(): string {
    return `https://${this.o.domain}/`;
  }

  private attempt(ask: Ask, again = false): Promise<Got> {
    const { hostname, port, pathname, search } = ask.url ?? new URL(ask.path ?? "/", this.home);
    const own = hostname === this.o.domain ? this.o.port : undefined;
    return new Promise((resolve, reject) => {
      const req = https.request({
        host: hostname,
        port: own ?? (port || 443),
        method: ask.method,
        path: pathname + search,
        agent: again ? this.fresh(false) : this.agent, // another kept connection may be closed too
        timeout: this.o.timeoutMs ?? 60_000,
        headers: {
          ...(ask.token ? { authorization: `Bearer ${ask.token}` } : {}),
          ...(ask.body ? { "content-length": Buffer.byteLength(ask.body) } : {}),
          ...ask.headers,
        },
      });
      // The clock's word counts once the sockets were asked after it: a closed one may lie unread while this process waits for
      // its turn at the processor, and Node looks at its clocks first.
      let late = false;
      const clock = setTimeout(() => setImmediate(() => (late = true)), 100);
      let answered = false;
      req.on("response", (res) => ((answered = true), collect(res).then(resolve, reject)));
      req.on("timeout", () => req.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
      req.on("close", () => clearTimeout(clock));
      req.on("error", (e: NodeJS.ErrnoException) => {
        // Every browser does this: a kept connection that proves closed as soon as it is used is no error, but
        // reopened. One that is cut while the server works on the request is an error.
        const closed = ["ECONNRESET", "EPIPE"].includes(e.code ?? "") && !late;
        if (again || answered || !req.reusedSocket || !closed) return reject(e);
        this.reconnected++;
        this.attempt(ask, true).then(resolve, reject);
      });
      req.end(ask.body);
    });
  }

  private fresh(keepAlive = true): https.Agent {
    return new https.Agent({ keepAlive, maxSockets: 256, ca: this.o.ca, lookup: this.lookup });
  }

  /** DNS points elsewhere: new requests go there, those under way end where they are. */
  private move(name: string, from: string, to: string): void {
    const old = this.agent;
    this.agent = this.fresh();
    old.maxFreeSockets = 0;
    for (const sockets of Object.values(old.freeSockets)) for (const s of sockets ?? []) s.destroy();
    if (name === this.o.domain) this.o.onMoved?.(from, to);
  }
}

type Got = Pick<Reply, "status" | "headers" | "body">;

async function collect(res: IncomingMessage): Promise<Got> {
  const parts: Buffer[] = [];
  for await (const part of res) parts.push(part as Buffer);
  return { status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts) };
}
