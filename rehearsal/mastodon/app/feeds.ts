import type { Row, Session } from "./database";
import type { Redis } from "./redis";

/** Home feeds hold this many statuses; a rebuilt one starts with half. */
export const MAX_ITEMS = 800;
const REBUILT_ITEMS = 400;

export const feedKey = (accountId: string) => `feed:home:${accountId}`;

export async function populate(
  redis: Redis,
  accountId: string,
  statusIds: string[],
  afresh: boolean,
): Promise<void> {
  const key = feedKey(accountId);
  const commands: (string | number)[][] = afresh ? [["DEL", key]] : [];
  if (statusIds.length) commands.push(["ZADD", key, ...statusIds.flatMap((id) => [id, id])]);
  commands.push(["ZREMRANGEBYRANK", key, 0, -(MAX_ITEMS + 1)]);
  await redis.pipeline([["MULTI"], ...commands, ["EXEC"]]);
}

/** Builds a home feed from the database. */
export async function rebuild(db: Session, redis: Redis, accountId: string): Promise<void> {
  const rows = await db.rows<Row & { id: string }>(
    `SELECT s.id FROM (SELECT target_account_id AS id FROM follows WHERE account_id = $1 UNION ALL SELECT $1::bigint) f
     CROSS JOIN LATERAL (SELECT id FROM statuses WHERE account_id = f.id AND deleted_at IS NULL AND visibility <= 2
       ORDER BY id DESC LIMIT ${REBUILT_ITEMS}) s ORDER BY s.id DESC LIMIT ${REBUILT_ITEMS}`,
    [accountId],
  );
  await populate(
    redis,
    accountId,
    rows.map((r) => r.id),
    true,
  );
}
