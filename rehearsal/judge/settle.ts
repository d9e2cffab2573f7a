import { type Fate, fateOfJobs, idle, pendingJobs } from "./jobs";
import type { Site } from "./site";

export interface Settled {
  queuesEmpty: boolean;
  fate: Fate;
}

/** Waits until Sidekiq has nothing left to do, since what it still has to do is not yet to be judged. */
export async function settle(
  truth: Site,
  others: Site[],
  taken: string[],
  deadlineMs: number,
): Promise<Settled> {
  const end = Date.now() + deadlineMs;
  let queuesEmpty = idle(await pendingJobs(truth));
  while (!queuesEmpty && Date.now() < end) {
    await pause(300);
    queuesEmpty = idle(await pendingJobs(truth));
  }
  let fate = await fateOfJobs(truth, others, taken);
  for (let wait = 500; fate.open.length > 0 && Date.now() < end; wait *= 2) {
    await pause(Math.min(wait, Math.max(0, end - Date.now())));
    fate = await fateOfJobs(truth, others, taken);
  }
  return { queuesEmpty, fate };
}

/** Waits until the standby has replayed what the primary has written. */
export async function caughtUp(primary: Site, standby: Site, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  const lsn = await primary.value("SELECT pg_current_wal_flush_lsn();");
  for (;;) {
    const there = await standby.value(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn;`);
    if (there === "t") return true;
    if (Date.now() >= end) return false;
    await pause(200);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
