import type { Account } from "../../app/actors";
import { accountByUri, localByUri } from "../../app/actors";
import { PUBLIC } from "../../app/activities";
import type { Row, Session } from "../../app/database";
import type { Instance } from "../../app/instance";
import { enqueue } from "../../app/jobs";
import type { Status } from "../../app/render";

export interface Note {
  id: string;
  url?: string;
  content?: string;
  summary?: string;
  published?: string;
  sensitive?: boolean;
  inReplyTo?: string | null;
  to?: string | string[];
  cc?: string | string[];
  tag?: { type: string; href?: string }[];
  attachment?: { url?: string; mediaType?: string; name?: string }[];
}

/** Keeps a post from elsewhere, if it concerns somebody here, exactly once. */
export async function createNote(i: Instance, actor: Account, note: Note): Promise<void> {
  if (new URL(note.id).host !== new URL(actor.uri).host) return;
  if (await i.db.one("SELECT 1 FROM tombstones WHERE uri = $1", [note.id])) return;
  const named = await mentioned(i, note);
  const parent = note.inReplyTo
    ? await i.db.one<Status>("SELECT * FROM statuses WHERE uri = $1", [note.inReplyTo])
    : undefined;
  if (!(await concerns(i, actor, named, parent))) return;
  const kept = await i.db.transaction(async (db) => {
    const row = await insert(db, actor, note, parent);
    if (!row) return undefined;
    for (const account of named)
      await db.rows(
        "INSERT INTO mentions (status_id, account_id, created_at, updated_at) VALUES ($1, $2, now(), now())",
        [row.id, account.id],
      );
    return { id: row.id, media: await attach(db, actor, row.id, note) };
  });
  // Pushed even when it was kept before: the first try may have died between the two.
  const id =
    kept?.id ??
    (await i.db.one<Row & { id: string }>("SELECT id FROM statuses WHERE uri = $1", [note.id]))?.id;
  if (id) await enqueue(i.sidekiq, "DistributionWorker", id);
  for (const media of kept?.media ?? []) await enqueue(i.sidekiq, "RedownloadMediaWorker", media);
}

async function mentioned(i: Instance, note: Note): Promise<Account[]> {
  const found = new Map<string, Account>();
  for (const { type, href } of note.tag ?? []) {
    const account =
      type === "Mention" && href
        ? ((await localByUri(i, href)) ?? (await accountByUri(i.db, href)))
        : undefined;
    if (account) found.set(account.id, account);
  }
  return [...found.values()];
}

/** Strangers' posts that nobody here follows, is named in, or is answered by are not kept. */
async function concerns(i: Instance, actor: Account, named: Account[], parent?: Status): Promise<boolean> {
  if (named.some((a) => a.domain === null) || parent?.local) return true;
  const sql =
    "SELECT 1 FROM follows f JOIN accounts a ON a.id = f.account_id WHERE f.target_account_id = $1 AND a.domain IS NULL LIMIT 1";
  return (await i.db.one(sql, [actor.id])) !== undefined;
}

async function insert(
  db: Session,
  actor: Account,
  note: Note,
  parent?: Status,
): Promise<{ id: string } | undefined> {
  const conversation = parent?.conversation_id ?? (await startConversation(db));
  const row = await db.one<Row & { id: string }>(
    `INSERT INTO statuses (uri, url, text, spoiler_text, sensitive, visibility, local, account_id, conversation_id, reply,
       in_reply_to_id, in_reply_to_account_id, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8, $9, $10, $11, coalesce($12::timestamptz AT TIME ZONE 'UTC', now()), now())
     ON CONFLICT (uri) WHERE uri IS NOT NULL DO NOTHING RETURNING id`,
    [
      ...[
        note.id,
        note.url ?? note.id,
        note.content ?? "",
        note.summary ?? "",
        note.sensitive ?? false,
        visibility(note),
      ],
      ...[actor.id, conversation, note.inReplyTo != null, parent?.id ?? null, parent?.account_id ?? null],
      note.published ?? null,
    ],
  );
  if (row)
    await db.rows(
      `INSERT INTO account_stats (account_id, statuses_count, last_status_at, created_at, updated_at)
       VALUES ($1, 1, now(), now(), now()) ON CONFLICT (account_id) DO UPDATE
       SET statuses_count = account_stats.statuses_count + 1, last_status_at = now(), updated_at = now()`,
      [actor.id],
    );
  return row;
}

async function startConversation(db: Session): Promise<string | undefined> {
  const sql = "INSERT INTO conversations (created_at, updated_at) VALUES (now(), now()) RETURNING id";
  return (await db.one<Row & { id: string }>(sql))?.id;
}

function visibility(note: Note): number {
  if ([note.to].flat().includes(PUBLIC)) return 0;
  if ([note.cc].flat().includes(PUBLIC)) return 1;
  return [note.to, note.cc].flat().some((a) => a?.endsWith("/followers")) ? 2 : 3;
}

async function attach(db: Session, actor: Account, status: string, note: Note): Promise<string[]> {
  const ids: string[] = [];
  for (const a of (note.attachment ?? []).slice(0, 4)) {
    if (!a.url) continue;
    const row = await db.one<Row & { id: string }>(
      `INSERT INTO media_attachments (status_id, account_id, type, remote_url, description, processing,
         file_storage_schema_version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 2, 1, now(), now()) RETURNING id`,
      [status, actor.id, a.mediaType?.startsWith("video/") ? 2 : 0, a.url, a.name ?? null],
    );
    if (row) ids.push(row.id);
  }
  if (ids.length)
    await db.rows("UPDATE statuses SET ordered_media_attachment_ids = $2 WHERE id = $1", [status, ids]);
  return ids;
}
