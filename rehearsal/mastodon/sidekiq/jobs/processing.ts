import { type Account, accountById, actorUri, localByUri } from "../../app/actors";
import { about, PUBLIC } from "../../app/activities";
import type { Row, Session } from "../../app/database";
import type { Instance } from "../../app/instance";
import { enqueue } from "../../app/jobs";
import type { Status } from "../../app/render";
import { countFollow } from "../../app/follows";
import { createNote, type Note } from "./notes";
import { record } from "./feeds";

interface Activity {
  id?: string;
  type: string;
  actor: string;
  object: string | (Record<string, unknown> & { id?: string; type?: string });
  to?: string | string[];
}

/** Does what another server has told us. All is kept by its id: what comes twice is done once. */
export async function processActivity(i: Instance, actorId: string, body: string): Promise<void> {
  const actor = await accountById(i.db, actorId);
  const activity = JSON.parse(body) as Activity;
  // Somebody may relay only what they wrote themselves; anything else needs proof that we do not ask for here.
  if (!actor || actor.suspended_at || activity.actor !== actor.uri) return;
  const object = activity.object;
  const uri = typeof object === "string" ? object : (object.id ?? "");
  switch (activity.type) {
    case "Create":
      if (typeof object === "object" && object.type === "Note")
        await createNote(i, actor, object as unknown as Note);
      return;
    case "Follow":
      return follow(i, actor, activity, uri);
    case "Accept":
      return accepted(i, actor, uri);
    case "Like":
      return like(i, actor, uri);
    case "Announce":
      return announce(i, actor, activity, uri);
    case "Delete":
      return remove(i, actor, uri);
    case "Undo":
      return undo(i, actor, object as Record<string, unknown>);
  }
}

async function follow(i: Instance, actor: Account, activity: Activity, uri: string): Promise<void> {
  const target = await localByUri(i, uri);
  if (!target) return;
  const added = await i.db.transaction(async (db) => {
    const row = await db.one<Row & { id: string; fresh: boolean }>(
      `INSERT INTO follows (account_id, target_account_id, uri, created_at, updated_at) VALUES ($1, $2, $3, now(), now())
       ON CONFLICT (account_id, target_account_id) DO UPDATE SET uri = excluded.uri RETURNING id, xmax = 0 AS fresh`,
      [actor.id, target.id, activity.id ?? null],
    );
    if (row?.fresh) await countFollow(db, actor.id, target.id, 1);
    return row;
  });
  if (added) await enqueue(i.sidekiq, "LocalNotificationWorker", target.id, added.id, "Follow", "follow");
  const self = actorUri(i.config, target);
  const accept = about("Accept", self, `${self}#accepts/follows/${added?.id}`, { ...activity, object: self });
  await enqueue(
    i.sidekiq,
    "ActivityPub::DeliveryWorker",
    JSON.stringify(accept),
    target.id,
    actor.inbox_url,
    {},
  );
}

/** The other side says yes to a follow of ours, named by the id of the request. */
async function accepted(i: Instance, actor: Account, uri: string): Promise<void> {
  const done = await i.db.transaction(async (db: Session) => {
    const row = await db.one<Row & { account_id: string }>(
      "DELETE FROM follow_requests WHERE uri = $1 AND target_account_id = $2 RETURNING account_id",
      [uri, actor.id],
    );
    if (!row) return undefined;
    await db.rows(
      `INSERT INTO follows (account_id, target_account_id, uri, created_at, updated_at) VALUES ($1, $2, $3, now(), now())
       ON CONFLICT (account_id, target_account_id) DO NOTHING`,
      [row.account_id, actor.id, uri],
    );
    await countFollow(db, row.account_id, actor.id, 1);
    return row;
  });
  if (done) await enqueue(i.sidekiq, "MergeWorker", actor.id, done.account_id);
}

const statusByUri = (i: Instance, uri: string) =>
  i.db.one<Status>("SELECT * FROM statuses WHERE uri = $1 AND deleted_at IS NULL", [uri]);

async function like(i: Instance, actor: Account, uri: string): Promise<void> {
  const s = await statusByUri(i, uri);
  if (!s?.local) return;
  const added = await i.db.transaction(async (db) => {
    const row = await db.one<Row & { id: string }>(
      `INSERT INTO favourites (account_id, status_id, created_at, updated_at) VALUES ($1, $2, now(), now())
       ON CONFLICT (account_id, status_id) DO NOTHING RETURNING id`,
      [actor.id, s.id],
    );
    if (row)
      await db.rows(
        `INSERT INTO status_stats (status_id, favourites_count, created_at, updated_at) VALUES ($1, 1, now(), now())
         ON CONFLICT (status_id) DO UPDATE SET favourites_count = status_stats.favourites_count + 1, updated_at = now()`,
        [s.id],
      );
    return row;
  });
  if (added) await record(i, s.account_id, actor.id, "Favourite", added.id, "favourite");
}

async function announce(i: Instance, actor: Account, activity: Activity, uri: string): Promise<void> {
  const s = await statusByUri(i, uri);
  if (!s || !activity.id || s.visibility > 1) return;
  const visibility = [activity.to].flat().includes(PUBLIC) ? 0 : 1;
  const row = await i.db.one<Row & { id: string }>(
    `INSERT INTO statuses (uri, url, account_id, reblog_of_id, visibility, local, created_at, updated_at)
     VALUES ($1, $1, $2, $3, $4, false, now(), now()) ON CONFLICT (uri) WHERE uri IS NOT NULL DO NOTHING RETURNING id`,
    [activity.id, actor.id, s.id, visibility],
  );
  if (row && s.local) await record(i, s.account_id, actor.id, "Status", row.id, "reblog");
  if (row) await enqueue(i.sidekiq, "DistributionWorker", row.id);
}

/** A tombstone is kept, so that a copy of the Create that comes late does not bring it back. */
async function remove(i: Instance, actor: Account, uri: string): Promise<void> {
  await i.db.rows(
    `INSERT INTO tombstones (account_id, uri, created_at, updated_at)
     SELECT $1::bigint, $2::varchar, now(), now() WHERE NOT EXISTS (SELECT FROM tombstones WHERE uri = $2)`,
    [actor.id, uri],
  );
  const row = await i.db.one<Row & { id: string }>(
    "UPDATE statuses SET deleted_at = now() WHERE uri = $1 AND account_id = $2 AND deleted_at IS NULL RETURNING id",
    [uri, actor.id],
  );
  if (row) await enqueue(i.sidekiq, "RemovalWorker", row.id);
}

async function undo(i: Instance, actor: Account, object: Record<string, unknown>): Promise<void> {
  const target = String((object.object as { id?: string } | undefined)?.id ?? object.object ?? "");
  if (object.type === "Like") {
    const where = "status_id = (SELECT id FROM statuses WHERE uri = $2)";
    await i.db.rows(`DELETE FROM favourites WHERE account_id = $1 AND ${where}`, [actor.id, target]);
  }
  if (object.type !== "Follow") return;
  const local = await localByUri(i, target);
  if (!local) return;
  await i.db.transaction(async (db) => {
    const sql = "DELETE FROM follows WHERE account_id = $1 AND target_account_id = $2 RETURNING id";
    if (await db.one(sql, [actor.id, local.id])) await countFollow(db, actor.id, local.id, -1);
  });
}
