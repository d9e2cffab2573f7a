import { mkdirSync, writeFileSync } from "node:fs";
import { loadRails, main } from "../app/config";
import { connect, type Instance } from "../app/instance";
import type { Job } from "../app/jobs";
import { learnt } from "../app/lookup";
import { Redis, redisOptions } from "../app/redis";
import { Heartbeat } from "./heartbeat";
import { exhausted, perform } from "./jobs";
import { type Options, readOptions } from "./options";
import { Poller } from "./poller";
import { failed } from "./retry";
import { Scheduler } from "./scheduler";

main(async () => {
  const config = loadRails();
  const options = readOptions(process.argv.slice(2), config.env);
  const sidekiq = new Sidekiq(
    connect(config, { title: "sidekiq 8.0.9 live", pool: options.concurrency }),
    options,
  );
  await learnt();
  await sidekiq.run();
});

class Sidekiq {
  private readonly beat: Heartbeat;
  private readonly poller: Poller;
  private readonly scheduler: Scheduler;
  private readonly inHand = new Map<string, string>();
  private threads = 0;
  private quiet = false;

  constructor(
    private readonly instance: Instance,
    private readonly options: Options,
  ) {
    this.beat = new Heartbeat(instance.sidekiq, options, log);
    this.poller = new Poller(instance.sidekiq, log);
    this.scheduler = new Scheduler(instance, options.queues.includes("scheduler"), log);
    process.on("SIGTSTP", () => void this.quieten());
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void this.stop());
  }

  async run(): Promise<void> {
    await this.announce(Date.now() + 10_000);
    await this.beat.beat();
    const ready = this.instance.config.env.MASTODON_SIDEKIQ_READY_FILENAME;
    mkdirSync("tmp", { recursive: true });
    if (ready) writeFileSync(`tmp/${ready}`, "");
    log("Starting processing, hit Ctrl-C to stop");
    for (let n = 0; n < this.options.concurrency; n++) void this.work();
  }

  /** The real one takes ten seconds to load before it wants Redis, in which Redis comes up after a boot: so does this. */
  private async announce(deadline: number): Promise<void> {
    try {
      await this.instance.sidekiq.call("SADD", "queues", ...new Set(this.options.queues));
    } catch (e) {
      if (Date.now() > deadline) throw e;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await this.announce(deadline);
    }
  }

  /** No more jobs are taken; those in hand go on. */
  private async quieten(): Promise<void> {
    if (this.quiet) return;
    log("Received TSTP, no longer accepting new work");
    this.quiet = true;
    this.beat.quiet = true;
    this.poller.stop();
    this.scheduler.stop();
    await this.beat.beat();
  }

  /**
   * Waits for the threads, at most the timeout: for the jobs in hand, and for who waits at Redis, to whom a job may be on its
   * way. What is still running then goes back to its queue.
   */
  private async stop(): Promise<void> {
    await this.quieten();
    log("Shutting down");
    const deadline = Date.now() + this.options.timeout * 1000;
    while (this.threads && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const [payload, queue] of this.inHand) await this.instance.sidekiq.call("RPUSH", queue, payload);
    if (this.inHand.size) log(`Pushed ${this.inHand.size} jobs back to Redis`);
    await this.beat.clear().catch((e: Error) => log(e.message));
    log("Bye!");
    process.exit(0);
  }

  /** One thread: takes a job, does it, takes the next. */
  private async work(): Promise<void> {
    this.threads++;
    const redis = new Redis({ ...redisOptions(this.instance.config.env, "SIDEKIQ_"), timeoutMs: 3000 });
    while (!this.quiet) {
      try {
        // The name of a queue appears as often as it weighs: drawn at random, each comes first by its weight.
        const queues = [...new Set(shuffle(this.options.queues))].map((q) => `queue:${q}`);
        const popped = (await redis.pipeline([["BRPOP", ...queues, 2]], 5000))[0] as [string, string] | null;
        if (popped && this.quiet) await this.instance.sidekiq.call("RPUSH", ...popped);
        else if (popped) await this.process(...popped);
      } catch (e) {
        log(`Error fetching job: ${(e as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    redis.close();
    this.threads--;
  }

  private async process(queue: string, payload: string): Promise<void> {
    const job = JSON.parse(payload) as Job;
    const done = this.beat.begin(queue.slice("queue:".length), payload);
    this.inHand.set(payload, queue);
    const started = performance.now();
    try {
      await perform(this.instance, job);
      log(`${job.class} jid=${job.jid} done ${(performance.now() - started).toFixed(0)} ms`);
    } catch (e) {
      this.beat.failed++;
      log(`${job.class} jid=${job.jid} fail ${(e as Error).message}`);
      // If Redis does not take it either the job is lost: it was only in memory, as with the real one.
      await failed(this.instance.sidekiq, job, e as Error, (j) => exhausted(this.instance, j));
    } finally {
      this.beat.processed++;
      this.inHand.delete(payload);
      done();
    }
  }
}

function shuffle(list: string[]): string[] {
  return list
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map((x) => x.item);
}

let logged = 0;
function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} pid=${process.pid} n=${logged++} ${line}\n`);
}
