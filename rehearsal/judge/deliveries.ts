import type { Account } from "./account";
import type { PendingJob } from "./jobs";
import type { Acknowledged, ActivityRecord } from "./records";
import type { Site } from "./site";
import { when } from "./writes";

/** Every activity that our inbox took is in the database: once, and whoever sent it need not send it again. */
export async function checkInbound(
  site: Site,
  { delivered }: Acknowledged,
  pending: PendingJob[],
  account: Account,
): Promise<void> {
  const known = await inboundRows(site);
  const seen = new Set<string>();
  for (const a of delivered) {
    const row = rowOf(a);
    if (!row || seen.has(a.id)) continue;
    seen.add(a.id);
    account.acknowledged.deliveries++;
    const n = known.get(row) ?? 0;
    if (n === 0 && !pending.some((job) => job.payload.includes(a.id))) {
      account.lose("deliveries", a.t, `${a.type} ${a.id}, accepted ${when(a.t)}, is nowhere`);
    } else if (n > 1) {
      account.duplicated.deliveries += n - 1;
      account.wrong("delivery twice", `${a.type} ${a.id} has ${n} rows`);
    }
  }
}

/** What an accepted activity becomes, as a line that `inboundRows` would have. Others leave no row to look for. */
function rowOf(a: ActivityRecord): string | undefined {
  if (a.type === "Create") return `Create ${a.object}`;
  if (a.type === "Like") return `Like ${a.actor} ${a.object.split("/").at(-1)}`;
  if (a.type === "Follow") return `Follow ${a.actor} ${a.object.split("/").at(-1)}`;
  return undefined;
}

async function inboundRows(site: Site): Promise<Map<string, number>> {
  const rows = await site.rows<{ what: string; n: number }>(
    `SELECT what, count(*) AS n FROM (
       SELECT 'Create ' || s.uri AS what FROM statuses s JOIN accounts a ON a.id = s.account_id
        WHERE a.domain IS NOT NULL AND s.uri IS NOT NULL AND s.deleted_at IS NULL
       UNION ALL SELECT 'Like ' || a.uri || ' ' || f.status_id FROM favourites f JOIN accounts a ON a.id = f.account_id
        WHERE a.domain IS NOT NULL
       UNION ALL SELECT 'Follow ' || a.uri || ' ' || t.username
         FROM follows f JOIN accounts a ON a.id = f.account_id JOIN accounts t ON t.id = f.target_account_id
        WHERE a.domain IS NOT NULL AND t.domain IS NULL) all_ GROUP BY what`,
  );
  return new Map(rows.map((r) => [r.what, r.n]));
}

/** Every status of somebody with followers on a remote server reached that server once, or is still on its way. */
export async function checkOutbound(
  site: Site,
  { statuses, received }: Acknowledged,
  pending: PendingJob[],
  account: Account,
): Promise<void> {
  const hosts = await site.rows<{ account: string; host: string; since: number }>(
    `SELECT f.target_account_id::text AS account, a.domain AS host,
            extract(epoch FROM min(f.created_at AT TIME ZONE 'UTC')) * 1000 AS since
       FROM follows f JOIN accounts a ON a.id = f.account_id WHERE a.domain IS NOT NULL GROUP BY 1, 2`,
  );
  const arrived = new Map<string, number>();
  for (const a of received) {
    if (a.type !== "Create") continue;
    const key = `${a.host} ${statusId(a.object)}`;
    arrived.set(key, (arrived.get(key) ?? 0) + 1);
  }
  for (const s of statuses) {
    const begun = s.t - s.latencyMs;
    for (const { host } of hosts.filter((h) => h.account === s.account && h.since < begun)) {
      account.acknowledged.deliveries++;
      const n = arrived.get(`${host} ${s.id}`) ?? 0;
      if (n === 0 && !pending.some((job) => job.payload.includes(s.id))) {
        account.lose("deliveries", s.t, `status ${s.id} (${when(s.t)}) never reached ${host}, nor waits to`);
      } else if (n > 1) {
        for (let again = 1; again < n; again++)
          account.repeat("deliveries", s.t, `status ${s.id} reached ${host} ${n} times`);
      }
    }
  }
}

function statusId(uri: string): string {
  return (
    uri
      .replace(/\/activity$/, "")
      .split("/")
      .at(-1) ?? ""
  );
}
