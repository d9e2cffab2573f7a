import type { Session } from "./database";

/** Counts a follow on both sides, in one order for all: two who follow each other at once do not lock each other out. */
export async function countFollow(db: Session, from: string, to: string, by: 1 | -1): Promise<void> {
  const columns: [string, string][] = [
    [from, "following_count"],
    [to, "followers_count"],
  ];
  for (const [account, column] of columns.sort((a, b) => (BigInt(a[0]) < BigInt(b[0]) ? -1 : 1)))
    await db.rows(
      `INSERT INTO account_stats (account_id, ${column}, created_at, updated_at)
       VALUES ($1, greatest(0, $2::bigint), now(), now()) ON CONFLICT (account_id) DO UPDATE
       SET ${column} = greatest(0, account_stats.${column} + $2), updated_at = now()`,
      [account, by],
    );
}
