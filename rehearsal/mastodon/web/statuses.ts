import { accountByName, actorUri, accountById } from "../app/actors";
import type { Row, Session } from "../app/database";
import { enqueue } from "../app/jobs";
import { renderStatuses, type Status, visibilities } from "../app/render";
import { type Account_, id, json, parameters, Refusal, type Request, type Response, user } from "./http";

const show = async (r: Request, s: Status) => json((await renderStatuses(r.config, r.db, [s]))[0]);

/** A status that the asker may see, or 404. */
async function find(r: Request, value: unknown): Promise<Status> {
  const s = await r.db.one<Status>("SELECT * FROM statuses WHERE id = $1 AND deleted_at IS NULL", [
    id(value),
  ]);
  if (s && (s.visibility <= 1 || s.account_id === r.signed?.accountId)) return s;
  const allowed = s && r.signed?.accountId && (await concerned(r, s, r.signed.accountId));
  if (!s || !allowed) throw new Refusal(404, "Record not found");
  return s;
}

const concerned = (r: Request, s: Status, accountId: string) =>
  r.db.one(
    `SELECT 1 FROM mentions WHERE status_id = $1 AND account_id = $2
     UNION SELECT 1 FROM follows WHERE account_id = $2 AND target_account_id = $3 AND $4 = 2`,
    [s.id, accountId, s.account_id, s.visibility],
  );

export const get = async (r: Request): Promise<Response> => show(r, await find(r, r.params[0]));

interface Draft {
  text: string;
  media: string[];
  visibility: number;
  spoiler: string;
  sensitive: boolean;
  language: string;
  replyTo?: Status;
}

/** Posts: all rows in one transaction, then the key that makes a second try harmless, then the jobs; in that order. */
export async function create(r: Request): Promise<Response> {
  const me = user(r);
  const given = r.headers["idempotency-key"];
  const key = given ? `idempotency:status:${me.accountId}:${String(given)}` : undefined;
  const known = key && (await r.redis.call<string | null>("GET", key));
  if (known) return show(r, await find(r, known));
  const draft = await read(r);
  const s = await r.db.transaction((db) => insert(r, db, me, draft));
  if (key) await r.redis.call("SET", key, s.id, "EX", 3600);
  await announce(r, s);
  return show(r, s);
}

async function read(r: Request): Promise<Draft> {
  const p = parameters(r);
  const media = ((p.media_ids as unknown[] | undefined) ?? []).map(id);
  const text = String(p.status ?? "");
  if (!text.trim() && media.length === 0) throw new Refusal(422, "Validation failed: Text can't be blank");
  if (text.length > 500) throw new Refusal(422, "Validation failed: Text character limit of 500 exceeded");
  if (media.length > 4) throw new Refusal(422, "Validation failed: Cannot attach more than 4 files");
  const visibility = visibilities.indexOf(String(p.visibility ?? "public"));
  if (visibility < 0 || visibility > 3)
    throw new Refusal(422, "Validation failed: Visibility is not included in the list");
  const replyTo = p.in_reply_to_id ? await find(r, p.in_reply_to_id) : undefined;
  const sensitive = [true, "true", "1"].includes(p.sensitive as string | boolean);
  const spoiler = String(p.spoiler_text ?? "");
  return { text, media, visibility, spoiler, sensitive, language: String(p.language ?? "en"), replyTo };
}

async function insert(r: Request, db: Session, me: Account_, d: Draft): Promise<Status> {
  const author = await accountById(db, me.accountId);
  if (!author) throw new Refusal(404, "Record not found");
  const conversation = d.replyTo?.conversation_id ?? (await startConversation(db));
  const s = await db.one<Status>(
    `INSERT INTO statuses (text, visibility, spoiler_text, sensitive, language, conversation_id, account_id, local, reply,
       in_reply_to_id, in_reply_to_account_id, ordered_media_attachment_ids, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $9, $10, $11, now(), now()) RETURNING *`,
    [
      ...[
        d.text,
        d.visibility,
        d.spoiler,
        d.sensitive,
        d.language,
        conversation,
        me.accountId,
        d.replyTo !== undefined,
      ],
      ...[d.replyTo?.id ?? null, d.replyTo?.account_id ?? null, d.media],
    ],
  );
  if (!s) throw new Error("INSERT gave no row");
  s.uri = `${actorUri(r.config, author)}/statuses/${s.id}`;
  s.url = `https://${r.config.webDomain}/@${author.username}/${s.id}`;
  await db.rows("UPDATE statuses SET uri = $2, url = $3 WHERE id = $1", [s.id, s.uri, s.url]);
  if (!d.replyTo)
    await db.rows("UPDATE conversations SET parent_status_id = $2, parent_account_id = $3 WHERE id = $1", [
      conversation,
      s.id,
      me.accountId,
    ]);
  await attach(db, s, d.media);
  await mention(r, db, s);
  await count(db, s, d.replyTo);
  return s;
}

async function startConversation(db: Session): Promise<string> {
  const sql = "INSERT INTO conversations (created_at, updated_at) VALUES (now(), now()) RETURNING id";
  return (await db.one<Row & { id: string }>(sql))?.id ?? "";
}

async function attach(db: Session, s: Status, media: string[]): Promise<void> {
  if (media.length === 0) return;
  const taken = await db.rows(
    `UPDATE media_attachments SET status_id = $1, updated_at = now()
     WHERE id = ANY($2) AND account_id = $3 AND status_id IS NULL RETURNING id`,
    [s.id, media, s.account_id],
  );
  if (taken.length !== new Set(media).size)
    throw new Refusal(422, `Media ${media.join(", ")} not found or already attached to another post`);
}

async function mention(r: Request, db: Session, s: Status): Promise<void> {
  for (const [, name = "", domain] of s.text.matchAll(/(?<![\w/])@(\w+)(?:@([\w.-]+[\w]))?/g)) {
    const local = !domain || r.config.hosts.includes(domain.toLowerCase());
    const account = await accountByName(db, name, local ? null : domain);
    if (!account) continue;
    await db.rows(
      `INSERT INTO mentions (status_id, account_id, created_at, updated_at) VALUES ($1, $2, now(), now())
       ON CONFLICT (account_id, status_id) DO NOTHING`,
      [s.id, account.id],
    );
  }
}

async function count(db: Session, s: Status, replyTo?: Status): Promise<void> {
  await db.rows(
    `INSERT INTO account_stats (account_id, statuses_count, last_status_at, created_at, updated_at)
     VALUES ($1, 1, now(), now(), now()) ON CONFLICT (account_id) DO UPDATE
     SET statuses_count = account_stats.statuses_count + 1, last_status_at = now(), updated_at = now()`,
    [s.account_id],
  );
  if (replyTo)
    await db.rows(
      `INSERT INTO status_stats (status_id, replies_count, created_at, updated_at) VALUES ($1, 1, now(), now())
       ON CONFLICT (status_id) DO UPDATE SET replies_count = status_stats.replies_count + 1, updated_at = now()`,
      [replyTo.id],
    );
}

async function announce(r: Request, s: Status): Promise<void> {
  await enqueue(r.sidekiq, "DistributionWorker", s.id);
  await enqueue(r.sidekiq, "ActivityPub::DistributionWorker", s.id);
}

/** Deletes now for readers, for good by a job: as with the real one, the row stays until then with `deleted_at`. */
export async function remove(r: Request): Promise<Response> {
  const me = user(r);
  const s = await find(r, r.params[0]);
  if (s.account_id !== me.accountId) throw new Refusal(404, "Record not found");
  const shown = await show(r, s);
  await r.db.rows("UPDATE statuses SET deleted_at = now() WHERE id = $1", [s.id]);
  await enqueue(r.sidekiq, "RemovalWorker", s.id);
  return shown;
}

export async function favourite(r: Request): Promise<Response> {
  const me = user(r);
  const s = await find(r, r.params[0]);
  await r.db.transaction(async (db) => {
    const added = await db.one(
      `INSERT INTO favourites (account_id, status_id, created_at, updated_at) VALUES ($1, $2, now(), now())
       ON CONFLICT (account_id, status_id) DO NOTHING RETURNING id`,
      [me.accountId, s.id],
    );
    if (added)
      await db.rows(
        `INSERT INTO status_stats (status_id, favourites_count, created_at, updated_at) VALUES ($1, 1, now(), now())
         ON CONFLICT (status_id) DO UPDATE SET favourites_count = status_stats.favourites_count + 1, updated_at = now()`,
        [s.id],
      );
  });
  return show(r, s);
}
