import { idle, pendingJobs } from "./jobs";
import type { Site } from "./site";

/** Waits until Sidekiq has nothing in hand, since what it still has to do is not yet to be judged. */
export async function settle(site: Site, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  let quiet = 0;
  while (Date.now() < end) {
    quiet = idle(await pendingJobs(site)) ? quiet + 1 : 0;
    if (quiet === 3) return true; // a job may be between a queue and a process's own list
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return false;
}

/** Waits until the standby has replayed what the primary has written. */
export async function caughtUp(primary: Site, standby: Site, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  const lsn = await primary.value("SELECT pg_current_wal_flush_lsn();");
  while (Date.now() < end) {
    const there = await standby.value(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn;`);
    if (there === "t") return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
