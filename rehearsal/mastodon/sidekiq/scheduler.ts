import { enqueue } from "../app/jobs";
import type { Instance } from "../app/instance";

/** What runs by the clock. Each time is taken by one process only: who writes it down first pushes the job. */
export class Scheduler {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly instance: Instance,
    listened: boolean,
    private readonly log: (line: string) => void,
  ) {
    if (listened) this.timer = setInterval(() => void this.tick(), 60_000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async tick(): Promise<void> {
    const hour = Math.floor(Date.now() / 3_600_000) * 3600;
    const key = "sidekiq-scheduler:pushed:instance_refresh_scheduler";
    try {
      const first = await this.instance.sidekiq.call<number>("ZADD", key, "NX", hour, hour);
      if (first) await enqueue(this.instance.sidekiq, "Scheduler::InstanceRefreshScheduler");
      await this.instance.sidekiq.call("ZREMRANGEBYSCORE", key, "-inf", hour - 86_400);
    } catch (e) {
      this.log(`scheduler: ${(e as Error).message}`);
    }
  }
}
