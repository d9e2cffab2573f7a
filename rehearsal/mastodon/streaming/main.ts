import http from "node:http";
import type { Duplex } from "node:stream";
import pg from "pg";
import { WebSocket, WebSocketServer } from "ws";
import { loadStreaming, main, number } from "../app/config";
import { poolConfig } from "../app/database";
import { channels, type Viewer } from "./channels";
import { Hub } from "./hub";

main(async () => {
  const config = loadStreaming();
  const { env } = config;
  // Any value but these asks for TLS with verification, `prefer` included: against a server without TLS that fails.
  const ssl = { undefined: false, "": false, disable: false, "no-verify": { rejectUnauthorized: false } }[
    String(env.DB_SSLMODE)
  ];
  const pool = new pg.Pool({
    ...poolConfig(env, number(env, "DB_POOL", 10), ""),
    ssl: ssl === undefined ? { rejectUnauthorized: true } : ssl,
    connectionTimeoutMillis: 15_000,
  });
  new Streaming(pool, new Hub(env, log)).listen(
    env.SOCKET,
    env.BIND || "127.0.0.1",
    number(env, "PORT", 4000),
  );
});

/** The pool has no listener for errors, as the real one has not: a killed idle connection ends the process, with status 0. */
process.on("uncaughtException", (e) => {
  log(`uncaughtException: ${e.message}`);
  process.exit(0);
});

class Streaming {
  private readonly http = http.createServer((r, w) => this.answer(r, w));
  private readonly sockets = new WebSocketServer({ noServer: true });

  constructor(
    private readonly pool: pg.Pool,
    private readonly hub: Hub,
  ) {
    this.http.on("upgrade", (r, socket, head) => void this.upgrade(r, socket, head));
    const alive = setInterval(() => this.ping(), 30_000);
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        clearInterval(alive);
        this.http.close();
        process.exit(0);
      });
  }

  listen(socket: string | undefined, host: string, port: number): void {
    const ready = () => log(`Streaming API now listening on ${socket ?? `${host}:${port}`}`);
    if (socket) this.http.listen(socket, ready);
    else this.http.listen(port, host, ready);
  }

  private answer(r: http.IncomingMessage, w: http.ServerResponse): void {
    const path = (r.url ?? "").split("?")[0];
    if (path === "/api/v1/streaming/health") w.writeHead(200, { "content-type": "text/plain" }).end("OK");
    else if (path === "/metrics") w.writeHead(200, { "content-type": "text/plain" }).end(this.metrics());
    else w.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ error: "Not found" }));
  }

  private metrics(): string {
    const p = this.pool;
    const values = {
      connected_clients: this.sockets.clients.size,
      connected_channels: this.hub.size,
      pg_pool_total_connections: p.totalCount,
      pg_pool_idle_connections: p.idleCount,
      pg_pool_waiting_queries: p.waitingCount,
    };
    return Object.entries(values)
      .map(([name, value]) => `${name} ${value}\n`)
      .join("");
  }

  private async upgrade(r: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => undefined);
    const query = new URL(r.url ?? "/", "http://localhost").searchParams;
    const bearer = /^Bearer (.+)$/.exec(r.headers.authorization ?? "")?.[1];
    const token = bearer ?? query.get("access_token") ?? (r.headers["sec-websocket-protocol"] || undefined);
    try {
      const viewer = token ? await this.viewer(token) : undefined;
      if (!viewer) return refuse(socket, 401, token ? "Invalid access token" : "Missing access token");
      this.sockets.handleUpgrade(r, socket, head, (client) =>
        this.serve(client, viewer, query.get("stream")),
      );
    } catch (e) {
      log(`could not look up a token: ${(e as Error).message}`);
      refuse(socket, 500, "Unexpected error");
    }
  }

  private async viewer(token: string): Promise<Viewer | undefined> {
    const { rows } = await this.pool.query<{ account_id: string; id: string; scopes: string }>(
      `SELECT t.id, u.account_id, t.scopes FROM oauth_access_tokens t JOIN users u ON u.id = t.resource_owner_id
       JOIN accounts a ON a.id = u.account_id
       WHERE t.token = $1 AND t.revoked_at IS NULL AND NOT u.disabled AND a.suspended_at IS NULL LIMIT 1`,
      [token],
    );
    const [row] = rows;
    return row && { accountId: row.account_id, tokenId: row.id, scopes: (row.scopes ?? "").split(" ") };
  }

  private serve(client: WebSocket, viewer: Viewer, first: string | null): void {
    const open = new Map<string, () => void>();
    const subscribe = (stream: string) => {
      const names = channels(stream, viewer);
      if (!names) return client.send(JSON.stringify({ error: `Unknown stream type`, status: 400 }));
      if (open.has(stream)) return;
      const ends = names.map((name) =>
        this.hub.subscribe(name, (message) => forward(client, stream, message)),
      );
      open.set(stream, () => ends.forEach((end) => end()));
    };
    const unsubscribe = (stream: string) => {
      open.get(stream)?.();
      open.delete(stream);
    };
    client.on("message", (data) => {
      const { type, stream } = parse(data.toString());
      if (type === "subscribe" && stream) subscribe(stream);
      if (type === "unsubscribe" && stream) unsubscribe(stream);
    });
    client.on("error", () => undefined);
    client.on("pong", () => answered.add(client));
    client.on("close", () => [...open.keys()].forEach(unsubscribe));
    answered.add(client);
    if (first) subscribe(first);
  }

  /** A client that did not answer the last ping is gone. */
  private ping(): void {
    for (const client of this.sockets.clients) {
      if (!answered.delete(client)) client.terminate();
      else client.ping();
    }
  }
}

const answered = new WeakSet<WebSocket>();

function forward(client: WebSocket, stream: string, message: string): void {
  const { event, payload } = parse(message);
  if (!event || client.readyState !== WebSocket.OPEN) return;
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  client.send(JSON.stringify({ stream: [stream], event, payload: text }));
}

function parse(text: string): { type?: string; stream?: string; event?: string; payload?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as object;
  } catch {
    return {};
  }
}

function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
}

function log(line: string): void {
  process.stdout.write(
    `${JSON.stringify({ level: "info", time: Date.now(), pid: process.pid, msg: line })}\n`,
  );
}
