import { chmodSync, rmSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { BootError, loadRails, main, number } from "../app/config";
import { connect, disconnect, type Instance } from "../app/instance";
import { learnt } from "../app/lookup";
import { StorageAway } from "../app/storage";
import { authenticate, Gate, throttle } from "./gate";
import { json, Refusal, type Response, text } from "./http";
import { route } from "./routes";
import { publicFile } from "./static";
import { Threads } from "./threads";

// As Puma is started: `puma -C config/puma.rb`, nothing else.
main(async () => {
  const [flag, file, ...rest] = process.argv.slice(2);
  if (flag !== "-C" || file !== "config/puma.rb" || rest.length)
    throw new BootError(
      `puma: the stand-in is started with -C config/puma.rb only, not ${process.argv.slice(2).join(" ")}`,
    );
  const config = loadRails();
  const workers = Math.max(1, number(config.env, "WEB_CONCURRENCY", 2));
  const threads = number(config.env, "MAX_THREADS", 5);
  const pool = workers * number(config.env, "DB_POOL", threads);
  const instance = connect(
    { ...config, env: { ...config.env, DB_POOL: undefined } },
    { title: "puma: cluster worker", pool },
  );
  await learnt();
  await new Server(instance, new Threads(workers * threads)).listen();
});

class Server {
  private readonly gate: Gate;
  private readonly server: http.Server;

  constructor(
    private readonly instance: Instance,
    private readonly threads: Threads,
  ) {
    this.gate = new Gate(instance.config);
    this.server = http.createServer((r, w) => void this.serve(r, w));
    this.server.keepAliveTimeout = number(instance.config.env, "PERSISTENT_TIMEOUT", 20) * 1000;
    // A phased restart keeps the environment that the first process read: a changed .env.production counts only after a restart.
    for (const signal of ["SIGUSR1", "SIGUSR2"] as const)
      process.on(signal, () => log(`- ${signal}: workers restarted`));
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void this.stop());
  }

  async listen(): Promise<void> {
    const { SOCKET, BIND = "127.0.0.1", PORT = "3000" } = this.instance.config.env;
    if (SOCKET) rmSync(SOCKET, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(SOCKET ? { path: SOCKET } : { host: BIND, port: Number(PORT) }, () => resolve());
    });
    if (SOCKET) chmodSync(SOCKET, 0o777);
    const where = SOCKET ? `unix://${SOCKET}` : `tcp://${BIND}:${PORT}`;
    process.title = `puma 6.6.1 (${where}) [live]`;
    log(`* Listening on ${where}`);
  }

  private async stop(): Promise<void> {
    log("- Gracefully shutting down workers...");
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await closed;
    await disconnect(this.instance);
    process.exit(0);
  }

  private async serve(r: IncomingMessage, w: ServerResponse): Promise<void> {
    const started = performance.now();
    const response = await this.answer(r).catch(failure);
    const body = Buffer.from(response.body);
    // nginx keeps whatever does not forbid it: without this header it would show one user's page to the next.
    const headers = {
      "content-type": response.type,
      "cache-control": "private, no-store",
      "content-length": body.length,
    };
    w.writeHead(response.status, { ...headers, ...response.headers });
    w.end(r.method === "HEAD" ? undefined : body);
    const path = (r.url ?? "").split("?")[0];
    log(
      `method=${r.method} path=${path} status=${response.status} duration=${(performance.now() - started).toFixed(2)}`,
    );
  }

  private async answer(r: IncomingMessage): Promise<Response> {
    const refused = this.gate.refuse(r);
    const body = await read(r);
    return refused ?? this.threads.run(() => this.dispatch(r, body));
  }

  private async dispatch(r: IncomingMessage, body: Buffer): Promise<Response> {
    const target = r.url ?? "/";
    const { pathname, searchParams } = new URL(target, "http://localhost");
    const method = r.method ?? "GET";
    const found = route(method, pathname);
    if (pathname === "/health" && found) return text("OK");
    const file = !found && method === "GET" ? await publicFile(this.instance.config, pathname) : undefined;
    if (file) return file;
    const ip = this.gate.clientIp(r);
    const signed = await authenticate(this.instance, r, ip);
    await throttle(this.instance, pathname, ip, signed);
    if (!found) throw new Refusal(404, "Not Found");
    const { handler, params } = found;
    const request = { path: pathname, query: searchParams, headers: r.headers };
    return handler({ ...this.instance, ...request, method, target, params, body, ip, signed });
  }
}

async function read(r: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of r) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function failure(e: Error): Response {
  if (e instanceof Refusal) return json({ error: e.message }, e.status, e.headers);
  if (e instanceof StorageAway) {
    log(`Storage server error: ${e.message}`);
    return json({ error: "There was a temporary problem serving your request, please try again" }, 503);
  }
  log(`[ERROR] ${e.stack ?? e.message}`);
  return json({ error: "Internal Server Error" }, 500);
}

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}
