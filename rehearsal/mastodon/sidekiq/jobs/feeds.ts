import { accountById, actorUri } from "../../app/actors";
import { about, PUBLIC } from "../../app/activities";
import type { Row } from "../../app/database";
import { feedKey, MAX_ITEMS, populate } from "../../app/feeds";
import type { Instance } from "../../app/instance";
import { job, push } from "../../app/jobs";
import { keys } from "../../app/paths";
import { cachedMedia, type Media, renderStatuses, type Status } from "../../app/render";
import { remoteInboxes } from "./delivery";

interface Id extends Row {
  id: string;
}

/** Puts a status into the feeds of the author's local followers and on the live channels. */
export async function fanOut(i: Instance, statusId: string): Promise<void> {
  const s = await i.db.one<Status>("SELECT * FROM statuses WHERE id = $1 AND deleted_at IS NULL", [statusId]);
  if (!s) return;
  const [shown] = await renderStatuses(i.config, i.db, [s]);
  const message = JSON.stringify({ event: "update", payload: shown, queued_at: Date.now() });
  for (const account of await readers(i, s)) await toHome(i, account, s, message);
  if (s.visibility === 0) await toPublic(i, s, message);
  await notifyMentioned(i, s);
}

/** The author if local, local followers, and for private letters only those named. */
async function readers(i: Instance, s: Status): Promise<string[]> {
  const rows = await i.db.rows<Id>(
    `SELECT a.id FROM accounts a WHERE a.domain IS NULL AND a.suspended_at IS NULL AND
       (a.id = $1 OR ($2 <= 2 AND a.id IN (SELECT account_id FROM follows WHERE target_account_id = $1)))`,
    [s.account_id, s.visibility],
  );
  return rows.map((r) => r.id);
}

async function toHome(i: Instance, account: string, s: Status, message: string): Promise<void> {
  const key = feedKey(account);
  const [, , live] = await i.redis.pipeline([
    ["ZADD", key, s.id, s.id],
    ["ZREMRANGEBYRANK", key, 0, -(MAX_ITEMS + 1)],
    ["EXISTS", `subscribed:timeline:${account}`],
  ]);
  if (live) await i.redis.call("PUBLISH", `timeline:${account}`, message);
}

async function toPublic(i: Instance, s: Status, message: string): Promise<void> {
  const channels = ["timeline:public", s.local ? "timeline:public:local" : "timeline:public:remote"];
  if (s.ordered_media_attachment_ids?.length) channels.push(...channels.map((c) => `${c}:media`));
  await i.redis.pipeline(channels.map((c) => ["PUBLISH", c, message]));
}

async function notifyMentioned(i: Instance, s: Status): Promise<void> {
  const mentions = await i.db.rows<Id & { account_id: string }>(
    `SELECT m.id, m.account_id FROM mentions m JOIN accounts a ON a.id = m.account_id
     WHERE m.status_id = $1 AND NOT m.silent AND a.domain IS NULL AND m.account_id <> $2`,
    [s.id, s.account_id],
  );
  for (const m of mentions) await record(i, m.account_id, s.account_id, "Mention", m.id, "mention");
}

/** Tells somebody of something, once. */
export async function record(
  ...[i, account, from, activity, activityId, type]: [Instance, string, string, string, string, string]
): Promise<void> {
  const added = await i.db.transaction(async (db) => {
    // The same activity may be processed by two threads at once; the real one holds a lock in Redis then.
    await db.rows("SELECT pg_advisory_xact_lock(hashtext($1))", [`${account} ${activity} ${activityId}`]);
    return db.one<Id>(
      `INSERT INTO notifications (account_id, from_account_id, activity_type, activity_id, type, created_at, updated_at)
       SELECT $1::bigint, $2::bigint, $3::varchar, $4::bigint, $5::varchar, now(), now() WHERE NOT EXISTS (
         SELECT FROM notifications WHERE account_id = $1 AND activity_type = $3 AND activity_id = $4) RETURNING id`,
      [account, from, activity, activityId, type],
    );
  });
  if (!added) return;
  const message = { event: "notification", payload: { id: added.id, type, account: { id: from } } };
  await i.redis.call("PUBLISH", `timeline:${account}:notifications`, JSON.stringify(message));
}

export async function notify(
  i: Instance,
  account: string,
  id: string,
  activity: string,
  type: string,
): Promise<void> {
  const table = { Follow: "follows", FollowRequest: "follow_requests", Favourite: "favourites" }[activity];
  const row =
    table &&
    (await i.db.one<Row & { account_id: string }>(`SELECT account_id FROM ${table} WHERE id = $1`, [id]));
  if (row) await record(i, account, row.account_id, activity, id, type);
}

/** After a new follow, what the followed account wrote lately joins the home feed. */
export async function merge(i: Instance, from: string, into: string): Promise<void> {
  const rows = await i.db.rows<Id>(
    "SELECT id FROM statuses WHERE account_id = $1 AND visibility <= 2 AND deleted_at IS NULL ORDER BY id DESC LIMIT 40",
    [from],
  );
  await populate(
    i.redis,
    into,
    rows.map((r) => r.id),
    false,
  );
}

/** Removes a deleted status for good: from feeds, from other servers, its files, its row. */
export async function remove(i: Instance, statusId: string): Promise<void> {
  const s = await i.db.one<Status>("SELECT * FROM statuses WHERE id = $1", [statusId]);
  if (!s) return;
  const author = await accountById(i.db, s.account_id);
  for (const account of await readers(i, s)) {
    await i.redis.call("ZREM", feedKey(account), s.id);
    await i.redis.call("PUBLISH", `timeline:${account}`, JSON.stringify({ event: "delete", payload: s.id }));
  }
  if (author && author.domain === null) {
    const actor = actorUri(i.config, author);
    const gone = {
      ...about("Delete", actor, `${s.uri}#delete`, { id: s.uri, type: "Tombstone" }),
      to: [PUBLIC],
    };
    const inboxes = await remoteInboxes(i, s);
    await push(
      i.sidekiq,
      inboxes.map((inbox) =>
        job("ActivityPub::DeliveryWorker", [JSON.stringify(gone), author.id, inbox, {}]),
      ),
    );
  }
  for (const m of await i.db.rows<Media>("SELECT * FROM media_attachments WHERE status_id = $1", [s.id])) {
    const stored = { id: m.id, file: m.file_file_name ?? "", cached: cachedMedia(m) };
    if (m.file_file_name)
      for (const key of keys("media_attachments/files", m.file_content_type ?? "", stored))
        await i.storage.remove(key);
    await i.db.rows("DELETE FROM media_attachments WHERE id = $1", [m.id]);
  }
  await i.db.rows("DELETE FROM statuses WHERE id = $1", [s.id]);
}
