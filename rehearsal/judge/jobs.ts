import type { Account } from "./account";
import { type Host, lines, type Place, Site } from "./site";

/** A job that Redis holds: in a queue, to be tried again, scheduled, given up, or being worked on. */
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
  for _, process in ipairs(redis.call('SMEMBERS', 'processes')) do
    for _, w in ipairs(redis.call('HVALS', process .. ':work')) do put('busy', w) end
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

/** Whether nothing is queued or being worked on; what is scheduled or to be tried again may wait for long. */
export function idle(jobs: PendingJob[]): boolean {
  return !jobs.some((j) => j.where === "busy" || j.where.startsWith("queue:"));
}

const witness = String.raw`
  file=$1; shift
  [[ ! -e $file.pid ]] || kill -- "-$(cat "$file.pid")" 2>/dev/null || :
  setsid bash -c 'file=$1; shift
    while :; do
      "$@" MONITOR 2>/dev/null | grep -aiE --line-buffered "\"(lpush|rpush|zadd)\" \"(queue:|schedule|retry)" |
        grep -aoE --line-buffered "^[0-9]+[.][0-9]+|jid.\":.\"[0-9A-Za-z]+" >>"$file" || :
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

/** What a host's witness wrote down: ids, and when each was first taken. A line of time goes before its ids. */
export async function watchedJobs({ host, place }: Site): Promise<Map<string, number>> {
  const { stdout } = await host.exec(["bash", "-euc", '[[ ! -e $1 ]] || cat "$1"', "-", place.jobsSeen]);
  const seen = new Map<string, number>();
  let at = 0;
  for (const line of lines(stdout)) {
    const jid = line.match(/^jid.*"(\w+)$/)?.[1];
    if (jid === undefined) at = Number(line) * 1000 || at;
    else if (!seen.has(jid)) seen.set(jid, at);
  }
  return seen;
}

/** Every job that any Redis ever took is done, or is held by the Redis that serves now; none was done twice. */
export function checkJobs(
  taken: Map<string, number>,
  pending: PendingJob[],
  finished: string[],
  account: Account,
): void {
  const waiting = new Set(pending.map((j) => j.jid));
  const times = new Map<string, number>();
  for (const jid of finished) times.set(jid, (times.get(jid) ?? 0) + 1);
  account.acknowledged.jobs = taken.size;
  for (const [jid, t] of taken) {
    if (!waiting.has(jid) && !times.has(jid)) {
      account.lose("jobs", t, `${jid} was taken, is not done, and waits nowhere`);
    }
  }
  for (const [jid, n] of times) {
    if (n === 1) continue;
    account.duplicated.jobs += n - 1;
    account.wrong("job twice", `${jid} was done ${n} times`);
  }
}
