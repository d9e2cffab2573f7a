import type { Account } from "./account";
import type { PendingJob } from "./jobs";
import type { Acknowledged } from "./records";
import type { Site } from "./site";
import { when } from "./writes";

const everyFeed = `
  local out = {}
  for _, id in ipairs(ARGV) do out[#out + 1] = { id, redis.call('ZRANGE', 'feed:home:' .. id, 0, -1) } end
  return cjson.encode(out)`;

/** Mastodon keeps this many statuses in a feed; older ones are let go. */
const feedSize = 800;

/** Every acknowledged status is in the home feed of each person who followed its author when it was posted, or waits to be. */
export async function checkFeeds(
  site: Site,
  { statuses, follows }: Acknowledged,
  pending: PendingJob[],
  account: Account,
): Promise<void> {
  const people = [...new Set([...statuses, ...follows].map((x) => x.account))];
  if (people.length === 0) return;
  const feeds = await readFeeds(site, people);
  const followers = await site.rows<{ author: string; follower: string; since: number }>(
    `SELECT target_account_id::text AS author, account_id::text AS follower,
            extract(epoch FROM created_at AT TIME ZONE 'UTC') * 1000 AS since
       FROM follows WHERE account_id IN (${people.join(",")}) AND target_account_id IN (${people.join(",")})`,
  );
  const waiting = new Set(pending.map(distributed));
  for (const s of statuses) {
    const begun = s.t - s.latencyMs;
    const readers = followers.filter((f) => f.author === s.account && f.since < begun).map((f) => f.follower);
    for (const reader of [s.account, ...readers]) {
      const feed = feeds.get(reader) ?? new Set();
      if (feed.size >= feedSize && !feed.has(s.id) && older(s.id, feed)) continue;
      account.acknowledged.feeds++;
      if (feed.has(s.id) || waiting.has(s.id)) continue;
      account.lose("feeds", s.t, `status ${s.id} (${when(s.t)}) is not in the home feed of ${reader}`);
    }
  }
}

/** The status that a job is to put into feeds; it may have failed, and come again. */
function distributed({ where, payload }: PendingJob): string | undefined {
  if (where === "dead" || !payload.includes('"DistributionWorker"')) return undefined;
  return String((JSON.parse(payload) as { args: unknown[] }).args[0]);
}

async function readFeeds(site: Site, people: string[]): Promise<Map<string, Set<string>>> {
  const text = await site.redis(["EVAL", everyFeed, "0", ...people]);
  const all = JSON.parse(text) as [string, string[] | Record<string, never>][];
  return new Map(all.map(([id, feed]) => [id, new Set(Array.isArray(feed) ? feed : [])]));
}

function older(id: string, feed: Set<string>): boolean {
  for (const other of feed) if (BigInt(other) < BigInt(id)) return false;
  return true;
}
