import { type Account, accountById, accountByName, actorUri } from "../app/actors";
import { about } from "../app/activities";
import type { Row } from "../app/database";
import { countFollow } from "../app/follows";
import { enqueue } from "../app/jobs";
import { accountsById, renderAccount, renderStatuses, type Status } from "../app/render";
import { id, json, limit, Refusal, type Request, type Response, user } from "./http";

async function find(r: Request, value: unknown): Promise<Account> {
  const [account] = await accountsById(r.db, [id(value)]);
  if (!account || account.suspended_at) throw new Refusal(404, "Record not found");
  return account;
}

export const get = async (r: Request): Promise<Response> =>
  json(renderAccount(r.config, await find(r, r.params[0])));

export async function verify(r: Request): Promise<Response> {
  const account = await find(r, user(r).accountId);
  return json({
    ...renderAccount(r.config, account),
    source: { privacy: "public", sensitive: false, language: "en" },
  });
}

export async function lookup(r: Request): Promise<Response> {
  const [name = "", domain] = (r.query.get("acct") ?? "").replace(/^@/, "").split("@");
  const account = await accountByName(r.db, name, domain && !r.config.hosts.includes(domain) ? domain : null);
  return json(renderAccount(r.config, await find(r, account?.id)));
}

export async function statuses(r: Request): Promise<Response> {
  const account = await find(r, r.params[0]);
  const own = r.signed?.accountId === account.id;
  const rows = await r.db.rows<Status>(
    `SELECT * FROM statuses WHERE account_id = $1 AND deleted_at IS NULL AND visibility <= $2
     AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`,
    [account.id, own ? 3 : 1, r.query.get("max_id"), limit(r)],
  );
  return json(await renderStatuses(r.config, r.db, rows));
}

async function relationship(r: Request, me: string, other: string): Promise<Response> {
  const row = await r.db.one<Row>(
    `SELECT EXISTS (SELECT FROM follows WHERE account_id = $1 AND target_account_id = $2) AS following,
       EXISTS (SELECT FROM follows WHERE account_id = $2 AND target_account_id = $1) AS followed_by,
       EXISTS (SELECT FROM follow_requests WHERE account_id = $1 AND target_account_id = $2) AS requested`,
    [me, other],
  );
  return json({
    id: other,
    ...row,
    showing_reblogs: row?.following,
    blocking: false,
    muting: false,
    notifying: false,
  });
}

/** Follows at once here; asks first when the account lives elsewhere, and follows when its server accepts. */
export async function follow(r: Request): Promise<Response> {
  const me = user(r);
  const target = await find(r, r.params[0]);
  if (target.id === me.accountId) throw new Refusal(403, "This action is not allowed");
  const remote = target.domain !== null || target.locked;
  const source = await find(r, me.accountId);
  const uri = `https://${r.config.webDomain}/${crypto.randomUUID()}`;
  const added = await r.db.transaction(async (db) => {
    const row = await db.one<Row & { id: string }>(
      `INSERT INTO ${remote ? "follow_requests" : "follows"} (account_id, target_account_id, uri, created_at, updated_at)
       SELECT $1::bigint, $2::bigint, $3::varchar, now(), now()
       WHERE NOT EXISTS (SELECT FROM follows WHERE account_id = $1 AND target_account_id = $2)
       ON CONFLICT (account_id, target_account_id) DO NOTHING RETURNING id`,
      [me.accountId, target.id, uri],
    );
    if (row && !remote) await countFollow(db, me.accountId, target.id, 1);
    return row;
  });
  if (added && target.domain !== null) {
    const activity = about("Follow", actorUri(r.config, source), uri, target.uri);
    await enqueue(
      r.sidekiq,
      "ActivityPub::DeliveryWorker",
      JSON.stringify(activity),
      me.accountId,
      target.inbox_url,
      {},
    );
  } else if (added) {
    const type = remote ? "FollowRequest" : "Follow";
    await enqueue(
      r.sidekiq,
      "LocalNotificationWorker",
      target.id,
      added.id,
      type,
      remote ? "follow_request" : "follow",
    );
    if (!remote) await enqueue(r.sidekiq, "MergeWorker", target.id, me.accountId);
  }
  return relationship(r, me.accountId, target.id);
}

export async function unfollow(r: Request): Promise<Response> {
  const me = user(r);
  const target = await find(r, r.params[0]);
  const source = await accountById(r.db, me.accountId);
  const gone = await r.db.transaction(async (db) => {
    const values = [me.accountId, target.id];
    const where = "account_id = $1 AND target_account_id = $2 RETURNING uri";
    const row = await db.one<Row & { uri: string }>(`DELETE FROM follows WHERE ${where}`, values);
    if (row) await countFollow(db, me.accountId, target.id, -1);
    return row ?? (await db.one<Row & { uri: string }>(`DELETE FROM follow_requests WHERE ${where}`, values));
  });
  if (gone && source && target.domain !== null) {
    const actor = actorUri(r.config, source);
    const undo = about(
      "Undo",
      actor,
      `${actor}#follows/${target.id}/undo`,
      about("Follow", actor, gone.uri, target.uri),
    );
    await enqueue(
      r.sidekiq,
      "ActivityPub::DeliveryWorker",
      JSON.stringify(undo),
      me.accountId,
      target.inbox_url,
      {},
    );
  }
  return relationship(r, me.accountId, target.id);
}
