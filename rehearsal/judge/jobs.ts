import type { Account } from "./account";
import { type Host, lines, type Place, Site } from "./site";

/**
 * A job that Redis holds: in a queue, to be tried again, scheduled, or given up. What a process says it has in hand does
 * not count: Sidekiq took that out of Redis, and it is gone when the process is.
 */
export interface PendingJob {
  where: string;
  jid: string;
  payload: string;
}

const everyJob = `
  local out = {}
  local function put(where, payload) out[#out + 1] = { where, payload } end
  for _, q in ipairs(redis.call('SMEMBERS', 'queues')) do
    for _, p in ipairs(redis.call('LRANGE', 'queue:' .. q, 0, -1)) do put('queue:' .. q, p) end
  end
  for _, set in ipairs({ 'schedule', 'retry', 'dead' }) do
    for _, p in ipairs(redis.call('ZRANGE', set, 0, -1)) do put(set, p) end
  end
  return cjson.encode(out)`;

export async function pendingJobs(site: Site): Promise<PendingJob[]> {
  const all = JSON.parse(await site.redis(["EVAL", everyJob, "0"])) as
    [string, string][] | Record<string, never>;
  if (!Array.isArray(all)) return []; // cjson writes an empty table as {}
  return all.map(([where, payload]) => ({
    where,
    payload,
    jid: payload.match(/jid\\*":\s*\\*"(\w+)/)?.[1] ?? "",
  }));
}

/** Whether no job is queued; what is scheduled or to be tried again may wait for long. */
export function idle(jobs: PendingJob[]): boolean {
  return !jobs.some((j) => j.where.startsWith("queue:"));
}

const witness = String.raw`
  file=$1; shift
  [[ ! -e $file.pid ]] || kill -- "-$(cat "$file.pid")" 2>/dev/null || :
  setsid bash -c 'file=$1; shift
    while :; do
      "$@" MONITOR 2>/dev/null | grep -aiE --line-buffered "\"(lpush|rpush|zadd)\" \"(queue:|schedule|retry)" |
        grep -aoE --line-buffered "^[0-9]+[.][0-9]+|jid.\":.\"[0-9A-Za-z]+.\"" >>"$file" || :
      sleep 0.1
    done' - "$file" "$@" </dev/null >/dev/null 2>&1 &
  echo $! >"$file.pid"`;

/**
 * Watches a host's Redis from now on and writes down the id and time of every job that it takes. Such a witness on each server
 * tells afterwards which jobs there were, also those that were pushed in the last millisecond before the fence.
 * It ends with the host; call this again after a reboot, what was seen is kept.
 */
export async function watchJobs(host: Host, place?: Place): Promise<void> {
  const { jobsSeen, redis } = new Site(host, place).place;
  await host.exec(["bash", "-euc", witness, "-", jobsSeen, ...redis]);
}

/** Ends a witness; what it wrote stays. */
export async function unwatchJobs(host: Host, place?: Place): Promise<void> {
  const { jobsSeen } = new Site(host, place).place;
  const script = '[[ ! -e $1.pid ]] || kill -- "-$(cat "$1.pid")"; rm -f "$1.pid"';
  await host.exec(["bash", "-c", script, "-", jobsSeen], { allowFail: true });
}

/** What a host's witness wrote down: ids, whole with their quotes, and when each was first taken. A line of time goes before its ids. */
export async function watchedJobs({ host, place }: Site): Promise<Map<string, number>> {
  const { stdout } = await host.exec(["bash", "-euc", '[[ ! -e $1 ]] || cat "$1"', "-", place.jobsSeen]);
  const seen = new Map<string, number>();
  let at = 0;
  for (const line of lines(stdout)) {
    const jid = line.match(/^jid.*"(\w+)."$/)?.[1];
    if (jid === undefined) at = Number(line) * 1000 || at;
    else if (!seen.has(jid)) seen.set(jid, at);
  }
  return seen;
}

/** What became of the jobs that any Redis ever took. */
export interface Fate {
  taken: Map<string, number>;
  /** Jobs that are neither done nor held by the Redis that serves now. */
  open: string[];
  /** How often each was done. */
  times: Map<string, number>;
  /** What the Redis that serves now held at that moment. */
  pending: PendingJob[];
}

/**
 * Looks for all jobs. A job in hand is open until it is done: whoever asks may wait a little and ask again. Jobs come before
 * they wait, wait before they are done, and some wait again: read the other way round, none is on its way where none is open.
 */
export async function fateOfJobs(truth: Site, others: Site[], alsoTaken: string[] = []): Promise<Fate> {
  const times = new Map<string, number>();
  for (const site of [truth, ...others])
    for (const jid of await site.finishedJobs()) times.set(jid, (times.get(jid) ?? 0) + 1);
  const pending = await pendingJobs(truth);
  const waiting = new Set(pending.map((j) => j.jid));
  const taken = new Map(alsoTaken.map((jid) => [jid, 0]));
  for (const site of [truth, ...others]) for (const [jid, t] of await watchedJobs(site)) taken.set(jid, t);
  const open = [...taken.keys()].filter((jid) => !waiting.has(jid) && !times.has(jid));
  return { taken, open, times, pending };
}

/** Every job that was taken is done or waits to be; none was done twice. */
export function checkJobs({ taken, open, times }: Fate, account: Account): void {
  account.acknowledged.jobs = taken.size;
  for (const jid of open)
    account.lose("jobs", taken.get(jid) ?? 0, `${jid} was taken, is not done, and waits nowhere`);
  for (const [jid, n] of times) {
    for (let again = 1; again < n; again++)
      account.repeat("jobs", taken.get(jid) ?? 0, `${jid} was done ${n} times`);
  }
}
