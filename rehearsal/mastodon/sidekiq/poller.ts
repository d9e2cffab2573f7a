import { type Job, push } from "../app/jobs";
import type { Redis } from "../app/redis";

// The one member that is due, taken out so that no other process takes it too.
const popDue = `local due = redis.call("zrange", KEYS[1], "-inf", ARGV[1], "byscore", "limit", 0, 1)
if due[1] then redis.call("zrem", KEYS[1], due[1]) end
return due[1]`;

/** Moves jobs whose time has come from `retry` and `schedule` back to their queues, about every five seconds. */
export class Poller {
  private timer?: NodeJS.Timeout;
  private stopped = false;

  constructor(
    private readonly redis: Redis,
    private readonly log: (line: string) => void,
  ) {
    this.next();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private next(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.poll().finally(() => this.next()), 2500 + Math.random() * 5000);
  }

  private async poll(): Promise<void> {
    try {
      for (const set of ["retry", "schedule"])
        for (let text = await this.pop(set); text && !this.stopped; text = await this.pop(set))
          await push(this.redis, [JSON.parse(text) as Job]);
    } catch (e) {
      this.log(`error while polling: ${(e as Error).message}`);
    }
  }

  private pop(set: string): Promise<string | null> {
    return this.redis.call<string | null>("EVAL", popDue, 1, set, Date.now() / 1000);
  }
}
