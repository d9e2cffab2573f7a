import { randomBytes } from "node:crypto";
import { rebuild } from "../app/feeds";
import type { Instance } from "../app/instance";
import { job } from "../app/jobs";
import type { Local } from "./people";

/** What only Redis knows: feeds, jobs that wait for a later day, who was active when, and Sidekiq's counts. */
export async function fill(i: Instance, people: Local[]): Promise<void> {
  for (const { id, token } of people) if (token) await rebuild(i.db, i.redis, id);
  await waiting(i, people[0]?.id ?? "");
  await activity(i, people);
  await i.redis.pipeline([
    ["SADD", "queues", "default", "push", "ingress", "mailers", "pull", "scheduler", "fasp"],
    ["SET", "stat:processed", 1_234_567],
    ["SET", "stat:failed", 4321],
    ["SET", "uniquejobs:seed", randomBytes(8).toString("hex"), "EX", 86_400],
    ["SADD", "exhausted_deliveries:slow.fedi.example", "20260101"],
  ]);
}

/** Jobs due in one to three days, which nothing but Redis holds; and the dead. */
async function waiting(i: Instance, account: string): Promise<void> {
  const now = Date.now() / 1000;
  const commands: (string | number)[][] = [];
  for (let n = 0; n < 40; n++) {
    const inbox = `https://m${n}.fedi.example/inbox`;
    const failed = {
      ...job("ActivityPub::DeliveryWorker", [
        JSON.stringify({ type: "Create", id: `seed-${n}` }),
        account,
        inbox,
        {},
      ]),
      retry_count: 12,
      failed_at: Math.floor((now - 86_400) * 1000),
      retried_at: Math.floor(now * 1000),
      error_class: "HTTP::ConnectionError",
      error_message: `failed to connect: ${inbox}`,
    };
    commands.push(["ZADD", "retry", now + 86_400 + n * 60, JSON.stringify(failed)]);
    if (n < 10)
      commands.push([
        "ZADD",
        "dead",
        now - 86_400 - n,
        JSON.stringify({ ...failed, jid: randomBytes(12).toString("hex") }),
      ]);
    const later = { ...job("MergeWorker", [account, account]), at: now + 172_800 + n };
    if (n < 20) commands.push(["ZADD", "schedule", now + 172_800 + n, JSON.stringify(later)]);
  }
  await i.sidekiq.pipeline(commands);
}

/** Half a year of logins: monthly active users are counted from these, and from nothing else. */
async function activity(i: Instance, people: Local[]): Promise<void> {
  const today = Math.floor(Date.now() / 86_400_000) * 86_400;
  const commands: (string | number)[][] = [];
  for (let day = 0; day < 170; day++) {
    const key = `activity:logins:${today - day * 86_400}`;
    const ids = people.map((_, n) => n + 1).filter((n) => (n * 7 + day) % 5 < 2);
    commands.push(["PFADD", key, ...ids], ["EXPIRE", key, (180 - day) * 86_400]);
  }
  for (let week = 0; week < 12; week++) {
    const key = `activity:statuses:local:${today - week * 7 * 86_400}`;
    commands.push(["SET", key, 100 + week, "EX", 180 * 86_400]);
  }
  await i.redis.pipeline(commands);
}
