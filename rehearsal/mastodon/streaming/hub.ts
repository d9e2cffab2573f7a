import Redis, { type RedisOptions as IoOptions } from "ioredis";
import type { Env } from "../app/config";
import { redisOptions } from "../app/redis";
import { announced } from "./channels";

type Listener = (message: string) => void;

/** Redis on the streaming side: one connection that listens for all clients, one that announces who is watched. */
export class Hub {
  private readonly listening: Redis;
  private readonly announcing: Redis;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly beat: NodeJS.Timeout;

  constructor(env: Env, log: (line: string) => void) {
    const { host, port, path, username, password, db } = redisOptions(env);
    // ioredis itself reconnects, subscribes again and sends again what was not answered.
    const options: IoOptions = { ...(path ? { path } : { host, port }), username, password, db };
    this.listening = new Redis(options);
    this.announcing = new Redis(options);
    for (const redis of [this.listening, this.announcing])
      redis.on("error", (e: Error) => log(`redis: ${e.message}`));
    this.listening.on("message", (channel: string, message: string) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(message);
    });
    this.beat = setInterval(() => this.announceAll(), 360_000);
  }

  /** Listens on a channel until the function returned is called. */
  subscribe(channel: string, listener: Listener): () => void {
    const known = this.listeners.get(channel);
    if (known) known.add(listener);
    else {
      this.listeners.set(channel, new Set([listener]));
      this.listening.subscribe(channel).catch(ignore);
    }
    this.announce(channel);
    return () => this.unsubscribe(channel, listener);
  }

  get size(): number {
    return this.listeners.size;
  }

  close(): void {
    clearInterval(this.beat);
    this.listening.disconnect();
    this.announcing.disconnect();
  }

  private unsubscribe(channel: string, listener: Listener): void {
    const known = this.listeners.get(channel);
    known?.delete(listener);
    if (known?.size !== 0) return;
    this.listeners.delete(channel);
    this.listening.unsubscribe(channel).catch(ignore);
  }

  private announceAll(): void {
    for (const channel of this.listeners.keys()) this.announce(channel);
  }

  private announce(channel: string): void {
    if (announced(channel)) this.announcing.set(`subscribed:${channel}`, "1", "EX", 1080).catch(ignore);
  }
}

const ignore = () => undefined;
