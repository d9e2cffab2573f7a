import { randomBytes } from "node:crypto";
import os from "node:os";
import { VERSION } from "../app/config";
import type { Redis } from "../app/redis";
import type { Options } from "./options";

/** What a process tells the world about itself: entry in `processes`, its hash, and the jobs in hand. */
export class Heartbeat {
  readonly identity = `${os.hostname()}:${process.pid}:${randomBytes(6).toString("hex")}`;
  quiet = false;
  processed = 0;
  failed = 0;
  private readonly inHand = new Map<string, { queue: string; payload: string; run_at: number }>();
  private readonly info: string;
  private timer?: NodeJS.Timeout;
  private threads = 0;

  constructor(
    private readonly redis: Redis,
    private readonly options: Options,
    private readonly log: (line: string) => void,
  ) {
    const { concurrency, queues } = options;
    const weights = Object.fromEntries(queues.map((q) => [q, queues.filter((other) => other === q).length]));
    this.info = JSON.stringify({
      hostname: os.hostname(),
      started_at: Date.now() / 1000,
      pid: process.pid,
      tag: "live",
      concurrency,
      queues: [...new Set(queues)],
      weights: [weights],
      labels: [],
      identity: this.identity,
      version: "8.0.9",
      embedded: false,
      mastodon: VERSION,
    });
    this.timer = setInterval(() => void this.beat(), 10_000);
    this.title();
  }

  get busy(): number {
    return this.inHand.size;
  }

  /** Notes a job as begun; the function returned notes its end. */
  begin(queue: string, payload: string): () => void {
    const thread = (this.threads++).toString(36);
    this.inHand.set(thread, { queue, payload, run_at: Math.floor(Date.now() / 1000) });
    this.title();
    return () => {
      this.inHand.delete(thread);
      this.title();
    };
  }

  async beat(): Promise<void> {
    const work = `${this.identity}:work`;
    const jobs = [...this.inHand].flatMap(([thread, job]) => [thread, JSON.stringify(job)]);
    const [processed, failed] = [this.processed, this.failed];
    const day = new Date().toISOString().slice(0, 10);
    const fields = {
      info: this.info,
      concurrency: this.options.concurrency,
      busy: this.busy,
      quiet: String(this.quiet),
    };
    const now = { beat: Date.now() / 1000, rtt_us: 500, rss: Math.round(process.memoryUsage.rss() / 1024) };
    try {
      await this.redis.pipeline([
        ["MULTI"],
        ["INCRBY", "stat:processed", processed],
        ["INCRBY", `stat:processed:${day}`, processed],
        ["INCRBY", "stat:failed", failed],
        ["INCRBY", `stat:failed:${day}`, failed],
        ["UNLINK", work],
        ...(jobs.length
          ? [
              ["HSET", work, ...jobs],
              ["EXPIRE", work, 60],
            ]
          : []),
        ["SADD", "processes", this.identity],
        ["HSET", this.identity, ...Object.entries({ ...fields, ...now }).flat()],
        ["EXPIRE", this.identity, 60],
        ["EXEC"],
      ]);
      this.processed -= processed;
      this.failed -= failed;
    } catch (e) {
      this.log(`heartbeat: ${(e as Error).message}`);
    }
  }

  async clear(): Promise<void> {
    clearInterval(this.timer);
    await this.redis.pipeline([
      ["SREM", "processes", this.identity],
      ["UNLINK", this.identity, `${this.identity}:work`],
    ]);
  }

  private title(): void {
    const state = this.quiet ? " stopping" : "";
    process.title = `sidekiq 8.0.9 live [${this.busy} of ${this.options.concurrency} busy]${state}`;
  }
}
