import type { Config } from "./config";
import type { Row, Session } from "./database";
import { type Account, actorUri } from "./actors";
import { fileUrl } from "./file-url";
import { key } from "./paths";

export const visibilities = ["public", "unlisted", "private", "direct", "limited"];

export interface Status extends Row {
  id: string;
  uri: string;
  url: string | null;
  text: string;
  created_at: Date;
  updated_at: Date;
  edited_at: Date | null;
  visibility: number;
  sensitive: boolean;
  spoiler_text: string;
  language: string | null;
  local: boolean | null;
  account_id: string;
  conversation_id: string | null;
  in_reply_to_id: string | null;
  in_reply_to_account_id: string | null;
  reblog_of_id: string | null;
  ordered_media_attachment_ids: string[] | null;
}

export interface Media extends Row {
  id: string;
  status_id: string | null;
  account_id: string | null;
  type: number;
  file_file_name: string | null;
  file_content_type: string | null;
  thumbnail_file_name: string | null;
  file_storage_schema_version: number | null;
  file_meta: object | null;
  remote_url: string;
  description: string | null;
  blurhash: string | null;
  processing: number | null;
}

export function renderMedia(config: Config, m: Media): Record<string, unknown> {
  const stored = (style: string) =>
    m.file_file_name === null
      ? null
      : fileUrl(
          config,
          key("media_attachments/files", style, { id: m.id, file: m.file_file_name, cached: cachedMedia(m) }),
        );
  const ready = m.processing === null || m.processing === 2;
  const missing = m.remote_url ? `https://${config.webDomain}/media_proxy/${m.id}/original` : null;
  const audio = m.type === 4;
  return {
    id: m.id,
    type: ["image", "gifv", "video", "unknown", "audio"][m.type],
    url: ready ? (stored("original") ?? missing) : null,
    preview_url: ready && !audio ? (stored("small") ?? missing) : null,
    remote_url: m.remote_url || null,
    meta: m.file_meta ?? {},
    description: m.description,
    blurhash: m.blurhash,
  };
}

export const cachedMedia = (m: Pick<Media, "remote_url" | "file_storage_schema_version">) =>
  m.remote_url !== "" && (m.file_storage_schema_version ?? 0) >= 1;

/** The address of a face or banner; undefined where there is none. */
export function faceUrl(config: Config, a: Account & Row, which: "avatar" | "header"): string | undefined {
  const name = a[`${which}_file_name`] as string | null;
  if (!name) return undefined;
  const cached = a.domain !== null && Number(a[`${which}_storage_schema_version`] ?? 0) >= 1;
  return fileUrl(config, key(`accounts/${which}s`, "original", { id: a.id, file: name, cached }));
}

export function renderAccount(config: Config, a: Account & Row): Record<string, unknown> {
  const file = (which: "avatar" | "header") =>
    faceUrl(config, a, which) ?? `https://${config.webDomain}/${which}s/original/missing.png`;
  return {
    id: a.id,
    username: a.username,
    acct: a.domain ? `${a.username}@${a.domain}` : a.username,
    display_name: a.display_name,
    locked: a.locked,
    bot: a.actor_type === "Service" || a.actor_type === "Application",
    created_at: day(a.created_at),
    note: a.note,
    url: a.url ?? `https://${config.webDomain}/@${a.username}`,
    uri: actorUri(config, a),
    avatar: file("avatar"),
    avatar_static: file("avatar"),
    header: file("header"),
    header_static: file("header"),
    followers_count: Number(a.followers_count ?? 0),
    following_count: Number(a.following_count ?? 0),
    statuses_count: Number(a.statuses_count ?? 0),
    last_status_at: a.last_status_at ? (a.last_status_at as Date).toISOString().slice(0, 10) : null,
    emojis: [],
    fields: [],
  };
}

const day = (d: Date) => d.toISOString().slice(0, 10) + "T00:00:00.000Z";

const accountsWithStats = `SELECT a.*, s.statuses_count, s.followers_count, s.following_count, s.last_status_at
  FROM accounts a LEFT JOIN account_stats s ON s.account_id = a.id WHERE a.id = ANY($1)`;

export const accountsById = (db: Session, ids: string[]) => db.rows<Account>(accountsWithStats, [ids]);

interface Mention extends Row {
  status_id: string;
  id: string;
  username: string;
  domain: string | null;
  url: string | null;
}

/** Statuses as the API shows them, in the order given, with all that belongs to them in four queries. */
export async function renderStatuses(
  config: Config,
  db: Session,
  statuses: Status[],
): Promise<Record<string, unknown>[]> {
  if (statuses.length === 0) return [];
  const ids = statuses.map((s) => s.id);
  // One after another: a thread of Puma has one connection.
  const accounts = await accountsById(db, [...new Set(statuses.map((s) => s.account_id))]);
  const media = await db.rows<Media>(
    "SELECT * FROM media_attachments WHERE status_id = ANY($1) ORDER BY id",
    [ids],
  );
  const mentions = await db.rows<Mention>(
    `SELECT m.status_id, a.id, a.username, a.domain, a.url FROM mentions m JOIN accounts a ON a.id = m.account_id
     WHERE m.status_id = ANY($1) AND NOT m.silent ORDER BY m.id`,
    [ids],
  );
  const stats = await db.rows("SELECT * FROM status_stats WHERE status_id = ANY($1)", [ids]);
  const authors = new Map(accounts.map((a) => [a.id, renderAccount(config, a)]));
  const of = <T extends { status_id?: string | null }>(list: T[], id: string) =>
    list.filter((x) => x.status_id === id);
  return statuses.map((s) => ({
    ...renderStatus(s),
    ...counts(of(stats, s.id)[0]),
    account: authors.get(s.account_id),
    media_attachments: of(media, s.id).map((m) => renderMedia(config, m)),
    mentions: of(mentions, s.id).map((m) => mention(config, m)),
  }));
}

function renderStatus(s: Status): Record<string, unknown> {
  return {
    id: s.id,
    created_at: s.created_at.toISOString(),
    edited_at: s.edited_at?.toISOString() ?? null,
    in_reply_to_id: s.in_reply_to_id,
    in_reply_to_account_id: s.in_reply_to_account_id,
    sensitive: s.sensitive,
    spoiler_text: s.spoiler_text,
    visibility: visibilities[s.visibility],
    language: s.language,
    uri: s.uri,
    url: s.url ?? s.uri,
    content: s.local ? `<p>${escape(s.text)}</p>` : s.text,
    reblog: null,
    tags: [],
    emojis: [],
    card: null,
    poll: null,
  };
}

const counts = (row: Row | undefined) => ({
  replies_count: Number(row?.replies_count ?? 0),
  reblogs_count: Number(row?.reblogs_count ?? 0),
  favourites_count: Number(row?.favourites_count ?? 0),
});

const mention = (config: Config, m: Mention) => ({
  id: m.id,
  username: m.username,
  acct: m.domain ? `${m.username}@${m.domain}` : m.username,
  url: m.url ?? `https://${config.webDomain}/@${m.username}`,
});

export const escape = (s: string) =>
  s.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
