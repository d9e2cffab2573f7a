import net from "node:net";
import type { Env } from "./config";
import { addressesOf, learn, NamedSocket } from "./lookup";

export interface RedisOptions {
  host: string;
  port: number;
  path?: string;
  username?: string;
  password?: string;
  db: number;
  timeoutMs?: number;
}
export type Reply = string | number | null | Reply[];

/** Which Redis: REDIS_URL or else REDIS_HOST and so on, each for a role with its own prefix falling back to the base. */
export function redisOptions(env: Env, role: "" | "CACHE_" | "SIDEKIQ_" = ""): RedisOptions {
  const own = (name: string) => env[`${role}REDIS_${name}`] || env[`REDIS_${name}`];
  const url = env[`${role}REDIS_URL`] || (role && env[`${role}REDIS_HOST`] ? undefined : env.REDIS_URL);
  if (!url)
    return {
      host: own("HOST") ?? "localhost",
      port: Number(own("PORT") ?? 6379),
      db: Number(own("DB") ?? 0),
      username: own("USER"),
      password: own("PASSWORD"),
    };
  const u = new URL(url);
  const db = Number(u.protocol === "unix:" ? (u.searchParams.get("db") ?? 0) : u.pathname.slice(1) || 0);
  const password = u.password ? decodeURIComponent(u.password) : undefined;
  const username = u.username ? decodeURIComponent(u.username) : undefined;
  const path = u.protocol === "unix:" ? u.pathname : undefined;
  return { host: u.hostname || "localhost", port: Number(u.port || 6379), path, db, username, password };
}

export class RedisError extends Error {}
/** The connection broke or the server is no place to write to: what a client tries again elsewhere. */
export class RedisConnectionError extends RedisError {}

const elsewhere = /^(READONLY|NOREPLICAS|UNBLOCKED|MASTERDOWN|LOADING)/;

/**
 * A client that does as redis-client with `reconnect_attempts: 1`, which Mastodon and Sidekiq use: on a lost connection,
 * and on READONLY, it closes, connects anew and sends the command once more; then it gives up.
 */
export class Redis {
  private socket?: Promise<Connection>;

  constructor(private readonly options: RedisOptions) {
    if (!options.path) learn(options.host);
  }

  async call<T extends Reply = Reply>(...command: (string | number)[]): Promise<T> {
    return (await this.pipeline([command]))[0] as T;
  }

  /** Commands in one write; with MULTI first and EXEC last they are one transaction. */
  async pipeline(
    commands: (string | number)[][],
    timeoutMs = this.options.timeoutMs ?? 1000,
  ): Promise<Reply[]> {
    try {
      return await this.send(commands, timeoutMs);
    } catch (e) {
      if (!(e instanceof RedisConnectionError)) throw e;
      return this.send(commands, timeoutMs);
    }
  }

  close(): void {
    void this.socket?.then(
      (c) => c.end(),
      () => undefined,
    );
    this.socket = undefined;
  }

  private async send(commands: (string | number)[][], timeoutMs: number): Promise<Reply[]> {
    const pending = (this.socket ??= Connection.open(this.options));
    let connection: Connection | undefined;
    try {
      connection = await pending;
      return await connection.send(commands, timeoutMs);
    } catch (e) {
      const broken = !connection || e instanceof RedisConnectionError;
      if (broken && this.socket === pending) this.close();
      throw e;
    }
  }
}

class Connection {
  private buffer = Buffer.alloc(0);
  private readonly waiting: { resolve: (r: Reply | RedisError) => void; reject: (e: Error) => void }[] = [];

  private constructor(private readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on("data", (b) => this.received(b));
    socket.on("error", (e) => this.fail(e.message));
    socket.on("close", () => this.fail("the connection was closed"));
  }

  static async open(o: RedisOptions): Promise<Connection> {
    // The second is for Redis: the real clients' clock does not run while they wait for the name server.
    if (!o.path) await addressesOf(o.host).catch(() => undefined);
    const socket = o.path ? net.connect(o.path) : new NamedSocket().connect(o.port, o.host);
    const connection = new Connection(socket);
    const hello: (string | number)[][] = [];
    if (o.password) hello.push(o.username ? ["AUTH", o.username, o.password] : ["AUTH", o.password]);
    if (o.db) hello.push(["SELECT", o.db]);
    await connection.send([...hello, ["PING"]], o.timeoutMs ?? 1000);
    return connection;
  }

  async send(commands: (string | number)[][], timeoutMs: number): Promise<Reply[]> {
    if (this.socket.destroyed) throw new RedisConnectionError("the connection is closed");
    const replies = commands.map(
      () => new Promise<Reply | RedisError>((resolve, reject) => this.waiting.push({ resolve, reject })),
    );
    this.socket.write(commands.map(encode).join(""));
    // Ruby asks the socket before it gives up; Node looks at its clocks first, and after a second without a turn at the
    // processor the answer may lie there unread. So the time is counted in turns, of which such a second is one.
    let turns = 10;
    const giveUp = () => this.socket.destroy(new Error(`no answer in ${timeoutMs} ms`));
    const clock = setInterval(() => --turns || giveUp(), timeoutMs / turns);
    const settled = await Promise.all(replies).finally(() => clearInterval(clock));
    const bad = settled.find((r) => r instanceof RedisError);
    if (bad) throw elsewhere.test(bad.message) ? new RedisConnectionError(bad.message) : bad;
    return settled as Reply[];
  }

  end(): void {
    this.socket.destroy();
  }

  private fail(why: string): void {
    for (const w of this.waiting.splice(0)) w.reject(new RedisConnectionError(why));
  }

  private received(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (let parsed = parse(this.buffer, 0); parsed; parsed = parse(this.buffer, 0)) {
      this.buffer = this.buffer.subarray(parsed.end);
      this.waiting.shift()?.resolve(parsed.value);
    }
  }
}

const encode = (command: (string | number)[]) =>
  `*${command.length}\r\n` + command.map((a) => `$${Buffer.byteLength(String(a))}\r\n${a}\r\n`).join("");

type Parsed = { value: Reply | RedisError; end: number } | undefined;

function parse(b: Buffer, at: number): Parsed {
  const eol = b.indexOf("\r\n", at);
  if (eol < 0) return undefined;
  const text = b.toString("utf8", at + 1, eol);
  const end = eol + 2;
  switch (String.fromCharCode(b[at] ?? 0)) {
    case "+":
      return { value: text, end };
    case "-":
      return { value: new RedisError(text), end };
    case ":":
      return { value: Number(text), end };
    case "$":
      if (text === "-1") return { value: null, end };
      if (b.length < end + Number(text) + 2) return undefined;
      return { value: b.toString("utf8", end, end + Number(text)), end: end + Number(text) + 2 };
    case "*":
      return parseArray(b, end, Number(text));
    default:
      return { value: new RedisError(`unexpected reply ${JSON.stringify(text)}`), end };
  }
}

function parseArray(b: Buffer, at: number, length: number): Parsed {
  if (length < 0) return { value: null, end: at };
  const items: Reply[] = [];
  for (let i = 0; i < length; i++) {
    const item = parse(b, at);
    if (!item) return undefined;
    if (item.value instanceof RedisError)
      return { value: item.value, end: skip(b, item.end, length - i - 1) };
    items.push(item.value);
    at = item.end;
  }
  return { value: items, end: at };
}

function skip(b: Buffer, at: number, items: number): number {
  for (let i = 0; i < items; i++) at = parse(b, at)?.end ?? at;
  return at;
}
