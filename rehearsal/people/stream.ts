import WebSocket from "ws";
import type { ClientRequestArgs } from "node:http";
import type { LookupFunction } from "node:net";
import { now } from "./record";

export interface StreamOptions {
  domain: string;
  port?: number;
  ca: string;
  token: string;
  lookup: LookupFunction;
  onEvent: (event: string) => void;
  /** The stream was away and is back. */
  onGap: (gap: { t: number; ms: number; reason: string }) => void;
}

/** The live feed of one open web page: reconnects by itself as the web UI does, and notes how long it was away. */
export class Stream {
  private socket?: WebSocket;
  private timer?: NodeJS.Timeout;
  private tries = 0;
  private lost?: { t: number; reason: string };
  private stopped = false;

  constructor(private readonly o: StreamOptions) {
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.terminate();
  }

  get connected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  private open(): void {
    const { domain, port, ca, lookup, token } = this.o;
    const url = `wss://${domain}:${port ?? 443}/api/v1/streaming?stream=user&access_token=${token}`;
    const how: WebSocket.ClientOptions & ClientRequestArgs = { ca, lookup, handshakeTimeout: 10_000 };
    const socket = new WebSocket(url, how);
    this.socket = socket;
    let reason = "closed";
    socket.on("open", () => this.opened());
    socket.on("message", (data) => this.o.onEvent(eventOf(data.toString())));
    socket.on("error", (e: NodeJS.ErrnoException) => (reason = e.code ?? e.message));
    socket.on("close", (code) => this.closed(reason === "closed" ? `closed ${code}` : reason));
  }

  private opened(): void {
    this.tries = 0;
    if (this.lost) this.o.onGap({ ...this.lost, ms: now() - this.lost.t });
    this.lost = undefined;
  }

  private closed(reason: string): void {
    if (this.stopped) return;
    this.lost ??= { t: now(), reason };
    // The web UI's library starts below a second and doubles; the random part keeps a thousand pages apart.
    const wait = Math.min(500 * 2 ** this.tries++, 15_000) * (0.5 + Math.random());
    this.timer = setTimeout(() => this.open(), wait);
  }
}

function eventOf(text: string): string {
  try {
    return String((JSON.parse(text) as { event?: unknown }).event ?? "");
  } catch {
    return "";
  }
}
