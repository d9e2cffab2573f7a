import type { Job } from "../app/jobs";
import type { Redis } from "../app/redis";

/** Seconds until the next try: the fourth power of those before, and a random part against herds. */
export const delay = (count: number) => count ** 4 + 15 + Math.floor(Math.random() * 10) * (count + 1);

/** Puts a failed job where it belongs: into `retry`, or after its last try into `dead` or nowhere. */
export async function failed(
  redis: Redis,
  job: Job,
  error: Error,
  exhausted: (job: Job) => Promise<void>,
): Promise<void> {
  if (job.retry === false) return;
  const now = Date.now();
  const max = typeof job.retry === "number" ? job.retry : 25;
  const count = job.retry_count === undefined ? 0 : job.retry_count + 1;
  const again: Job = {
    ...job,
    error_message: error.message.slice(0, 10_000),
    error_class: error.name,
    retry_count: count,
    ...(job.retry_count === undefined ? { failed_at: now } : { retried_at: now }),
  };
  if (count < max) {
    await redis.call("ZADD", "retry", now / 1000 + delay(count), JSON.stringify(again));
    return;
  }
  await exhausted(again);
  if (job.dead === false || max === 0) return;
  await redis.pipeline([
    ["MULTI"],
    ["ZADD", "dead", now / 1000, JSON.stringify(again)],
    ["ZREMRANGEBYSCORE", "dead", "-inf", now / 1000 - 180 * 86_400],
    ["ZREMRANGEBYRANK", "dead", 0, -10_001],
    ["EXEC"],
  ]);
}
