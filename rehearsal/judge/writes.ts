import type { Account } from "./account";
import type { Acknowledged } from "./records";
import type { Site } from "./site";

interface StatusRow {
  id: string;
  account_id: string;
  text: string;
  deleted: boolean;
}

/** Every acknowledged status is there, by id and text, once. */
export async function checkStatuses(site: Site, { statuses }: Acknowledged, account: Account): Promise<void> {
  account.acknowledged.statuses = statuses.length;
  if (statuses.length === 0) return;
  const rows = await site.rows<StatusRow>(
    `SELECT id::text, account_id::text, text, deleted_at IS NOT NULL AS deleted
       FROM statuses WHERE id IN (${ids(statuses)})`,
  );
  const found = new Map(rows.map((r) => [r.id, r]));
  for (const s of statuses) {
    const row = found.get(s.id);
    const whole = row && !row.deleted && row.text === s.text && row.account_id === s.account;
    if (whole) continue;
    account.lost.statuses++;
    account.wrong(
      "status lost",
      `${s.id} (${when(s.t)}): ${row ? "another row stands in its place" : "no such row"}`,
    );
  }
  // Also what was tried but never answered must not be there twice: each text carries its own idempotency key.
  const twice = await site.rows<{ text: string; n: number; t: number }>(
    `SELECT text, count(*) AS n, extract(epoch FROM min(created_at AT TIME ZONE 'UTC')) * 1000 AS t FROM statuses WHERE account_id IN (SELECT account_id FROM users)
       AND deleted_at IS NULL AND reblog_of_id IS NULL AND text ~ ' says [0-9a-f-]{36}$'
      GROUP BY text HAVING count(*) > 1`,
  );
  const ids_ = statuses.map((s) => s.id);
  account.duplicated.statuses = ids_.length - new Set(ids_).size;
  for (const { n, text, t } of twice)
    for (let again = 1; again < n; again++)
      account.repeat("statuses", t, `${n} times ${JSON.stringify(text)}`);
}

interface MediaRow {
  id: string;
  status_id: string | null;
  file: string | null;
  remote_url: string;
  schema: number | null;
}

/** Every acknowledged upload has its row, its status, and a file with the bytes that were sent. */
export async function checkMedia(
  site: Site,
  { media, statuses }: Acknowledged,
  files: Map<string, { sha256: string }>,
  account: Account,
): Promise<void> {
  account.acknowledged.media = media.length;
  if (media.length === 0) return;
  const rows = await site.rows<MediaRow>(
    `SELECT id::text, status_id::text, file_file_name AS file, remote_url, file_storage_schema_version AS schema
       FROM media_attachments WHERE id IN (${ids(media)})`,
  );
  const found = new Map(rows.map((r) => [r.id, r]));
  const shownIn = new Map(statuses.flatMap((s) => s.media.map((id) => [id, s.id] as const)));
  for (const m of media) {
    const fault = mediaFault(found.get(m.id), m.sha256, shownIn.get(m.id), files);
    if (!fault) continue;
    account.lose("media", m.t, `${m.id} (${when(m.t)}): ${fault}`);
  }
  account.duplicated.media = media.length - new Set(media.map((m) => m.id)).size;
}

function mediaFault(
  row: MediaRow | undefined,
  sha256: string,
  status: string | undefined,
  files: Map<string, { sha256: string }>,
): string | undefined {
  if (!row) return "no such row";
  if (!row.file) return "the row names no file";
  if (status && row.status_id !== status) return `belongs to status ${row.status_id}, not to ${status}`;
  const key = originalKey(row.id, row.file, row.remote_url !== "" && (row.schema ?? 0) >= 1);
  const file = files.get(key);
  if (!file) return `no file ${key}`;
  return file.sha256 === sha256 ? undefined : `${key} has other bytes than were sent`;
}

/** Where Mastodon keeps an attachment's original: the id in threes, at least nine digits of it. */
export function originalKey(id: string, name: string, cached = false): string {
  const width = id.length <= 9 ? 9 : Math.ceil(id.length / 3) * 3;
  const parts = id.padStart(width, "0").match(/\d{3}/g) ?? [];
  return `${cached ? "cache/" : ""}media_attachments/files/${parts.join("/")}/original/${name}`;
}

/** Every acknowledged follow is a row, once. */
export async function checkFollows(site: Site, { follows }: Acknowledged, account: Account): Promise<void> {
  account.acknowledged.follows = follows.length;
  if (follows.length === 0) return;
  const rows = await site.rows<{ pair: string; n: number }>(
    `SELECT account_id || ' ' || target_account_id AS pair, count(*) AS n FROM
       (SELECT account_id, target_account_id FROM follows
        UNION ALL SELECT account_id, target_account_id FROM follow_requests) f GROUP BY 1`,
  );
  const found = new Map(rows.map((r) => [r.pair, r.n]));
  for (const f of follows) {
    const n = found.get(`${f.account} ${f.id}`) ?? 0;
    if (n === 0) {
      account.lose("follows", f.t, `${f.account} follows ${f.id} (${when(f.t)})`);
    } else if (n > 1) {
      account.duplicated.follows += n - 1;
      account.wrong("follow twice", `${f.account} follows ${f.id} ${n} times`);
    }
  }
}

function ids(of: { id: string }[]): string {
  return of.map((o) => BigInt(o.id).toString()).join(",");
}

export function when(t: number): string {
  return new Date(t).toISOString().slice(11, 23);
}
