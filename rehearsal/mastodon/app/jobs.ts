import { randomBytes } from "node:crypto";
import type { Redis } from "./redis";

/** A job as Sidekiq 8 writes it to Redis: times in whole milliseconds. */
export interface Job {
  class: string;
  args: unknown[];
  queue: string;
  retry: boolean | number;
  jid: string;
  created_at: number;
  enqueued_at?: number;
  dead?: boolean;
  retry_count?: number;
  failed_at?: number;
  retried_at?: number;
  error_class?: string;
  error_message?: string;
}

/** Queue and retries of every job class that the stand-in runs. */
export const jobClasses: Record<string, Pick<Job, "queue" | "retry" | "dead">> = {
  DistributionWorker: { queue: "default", retry: true },
  LocalNotificationWorker: { queue: "default", retry: true },
  PostProcessMediaWorker: { queue: "default", retry: 1, dead: false },
  MergeWorker: { queue: "pull", retry: true },
  RemovalWorker: { queue: "default", retry: true },
  BackupWorker: { queue: "pull", retry: 5, dead: false },
  "Admin::SuspensionWorker": { queue: "pull", retry: true },
  "Admin::UnsuspensionWorker": { queue: "pull", retry: true },
  RedownloadMediaWorker: { queue: "pull", retry: 3 },
  "ActivityPub::DistributionWorker": { queue: "push", retry: true },
  "ActivityPub::DeliveryWorker": { queue: "push", retry: 16, dead: false },
  "ActivityPub::ProcessingWorker": { queue: "ingress", retry: 8 },
  "Scheduler::InstanceRefreshScheduler": { queue: "scheduler", retry: 0 },
};

export function job(name: keyof typeof jobClasses, args: unknown[]): Job {
  const options = jobClasses[name];
  if (!options) throw new Error(`uninitialized constant ${name}`);
  return { ...options, class: name, args, jid: randomBytes(12).toString("hex"), created_at: Date.now() };
}

/** Pushes jobs as Sidekiq::Client does: the queue's name first, then the jobs, in one transaction. */
export async function push(redis: Redis, jobs: Job[]): Promise<void> {
  const queues = [...new Set(jobs.map((j) => j.queue))];
  const commands = queues.flatMap((queue) => {
    const payloads = jobs.filter((j) => j.queue === queue);
    const texts = payloads.map((j) => JSON.stringify({ ...j, enqueued_at: Date.now() }));
    return [
      ["SADD", "queues", queue],
      ["LPUSH", `queue:${queue}`, ...texts],
    ];
  });
  if (commands.length) await redis.pipeline([["MULTI"], ...commands, ["EXEC"]]);
}

export const enqueue = (redis: Redis, name: keyof typeof jobClasses, ...args: unknown[]) =>
  push(redis, [job(name, args)]);
