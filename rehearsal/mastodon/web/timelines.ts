import type { Row } from "../app/database";
import { accountsById, renderAccount, renderStatuses, type Status } from "../app/render";
import { id, json, limit, type Request, type Response, user } from "./http";

/** The home feed is a sorted set in Redis, whose scores are the statuses' ids. */
export async function home(r: Request): Promise<Response> {
  const me = user(r);
  const max = r.query.get("max_id");
  const range = ["ZREVRANGEBYSCORE", `feed:home:${me.accountId}`, max ? `(${id(max)}` : "+inf", "-inf"];
  const ids = (await r.redis.call<string[]>(...range, "LIMIT", 0, limit(r))) ?? [];
  const rows = await r.db.rows<Status>(
    "SELECT * FROM statuses WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id DESC",
    [ids],
  );
  return json(await renderStatuses(r.config, r.db, rows));
}

export async function everyone(r: Request): Promise<Response> {
  const local = r.query.get("local") === "true";
  const rows = await r.db.rows<Status>(
    `SELECT s.* FROM statuses s JOIN accounts a ON a.id = s.account_id
     WHERE s.deleted_at IS NULL AND s.visibility = 0 AND s.reblog_of_id IS NULL AND a.silenced_at IS NULL
       AND a.suspended_at IS NULL AND (NOT s.reply OR s.in_reply_to_account_id = s.account_id)
       ${local ? "AND (s.local OR s.uri IS NULL)" : ""} AND ($1::bigint IS NULL OR s.id < $1)
     ORDER BY s.id DESC LIMIT $2`,
    [r.query.get("max_id"), limit(r)],
  );
  return json(await renderStatuses(r.config, r.db, rows));
}

export async function notifications(r: Request): Promise<Response> {
  const me = user(r);
  const rows = await r.db.rows<Row & { id: string; from_account_id: string; type: string; created_at: Date }>(
    "SELECT * FROM notifications WHERE account_id = $1 AND NOT filtered ORDER BY id DESC LIMIT $2",
    [me.accountId, limit(r, 40)],
  );
  const accounts = await accountsById(r.db, [...new Set(rows.map((n) => n.from_account_id))]);
  const from = new Map(accounts.map((a) => [a.id, renderAccount(r.config, a)]));
  return json(
    rows.map((n) => ({
      id: n.id,
      type: n.type,
      created_at: n.created_at.toISOString(),
      account: from.get(n.from_account_id),
    })),
  );
}
