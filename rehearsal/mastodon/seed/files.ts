import type { Row, Session } from "../app/database";
import type { Instance } from "../app/instance";
import { type Attachment, key, styles } from "../app/paths";
import { fileOf } from "../app/picture";
import type { Amounts } from "./sizes";

interface FileRow extends Row {
  id: string;
  file: string;
  type: string;
  size: number;
  cached: boolean;
  suspended: boolean;
  var?: string;
}

/** How many files were written, and their bytes. */
export interface Written {
  files: number;
  bytes: number;
}

// Sixteen hex digits and the extension of the type: `random` gives the first, the table the second.
const name = (
  type: string,
) => `substr(md5(random()::text), 1, 16) || CASE ${type} WHEN 'image/png' THEN '.png'
  WHEN 'image/jpeg' THEN '.jpeg' WHEN 'image/gif' THEN '.gif' WHEN 'video/mp4' THEN '.mp4' WHEN 'audio/mpeg' THEN '.mp3'
  ELSE '.webp' END`;

/**
 * Rows of every kind of attachment: pictures, gifv, video and sound; from here, from elsewhere (in `cache/`, a few from
 * before there was one), some of people who were suspended, and a few whose file was dropped to be fetched again.
 */
export async function attachments(db: Session, a: Amounts): Promise<void> {
  await db.rows(
    `WITH hidden AS (SELECT s.id FROM statuses s JOIN accounts a ON a.id = s.account_id
         WHERE a.suspended_at IS NOT NULL ORDER BY s.id LIMIT 4),
       post AS (SELECT row_number() OVER (ORDER BY hashint8(id)) AS n, * FROM statuses
         ORDER BY id IN (SELECT id FROM hidden) DESC, hashint8(id) LIMIT $1),
       typed AS (SELECT *, CASE WHEN n % 40 = 3 THEN 'video/mp4' WHEN n % 40 = 5 THEN 'audio/mpeg' WHEN n % 40 = 9 THEN 'image/gif'
         WHEN n % 3 = 0 THEN 'image/jpeg' WHEN n % 17 = 1 THEN 'image/webp' ELSE 'image/png' END AS type,
         NOT local AND n % 15 = 4 AS dropped FROM post),
       row AS (INSERT INTO media_attachments (id, status_id, account_id, type, remote_url, file_file_name, file_content_type,
           file_file_size, file_updated_at, file_storage_schema_version, processing, file_meta, description, created_at,
           updated_at, shortcode)
         SELECT id + 1, id, account_id,
           CASE type WHEN 'image/gif' THEN 1 WHEN 'video/mp4' THEN 2 WHEN 'audio/mpeg' THEN 4 ELSE 0 END,
           CASE WHEN local THEN '' ELSE 'https://files.fedi.example/' || id END,
           CASE WHEN NOT dropped THEN ${name("type")} END, CASE WHEN NOT dropped THEN type END,
           CASE WHEN NOT dropped THEN ($2 * (0.2 + 1.6 * random()))::int END, created_at,
           CASE WHEN n % 25 <> 6 THEN 1 END, 2, '{}', 'A picture', created_at, created_at, md5(id::text)
         FROM typed RETURNING id, status_id)
     UPDATE statuses SET ordered_media_attachment_ids = ARRAY[row.id] FROM row WHERE statuses.id = row.status_id`,
    [a.media, a.bytes],
  );
  await db.rows(
    `UPDATE media_attachments SET thumbnail_file_name = ${name("'image/png'")}, thumbnail_content_type = 'image/png',
       thumbnail_file_size = 4000, thumbnail_updated_at = created_at,
       thumbnail_remote_url = CASE WHEN remote_url <> '' THEN remote_url || '/cover' END WHERE type = 4`,
  );
}

/** Faces and banners of everyone here and of half the others. */
export async function faces(db: Session): Promise<void> {
  for (const [image, type, whom] of [
    [
      "avatar",
      "CASE WHEN id % 9 = 4 THEN 'image/gif' ELSE 'image/png' END",
      "id > 0 AND (domain IS NULL OR id % 2 = 0)",
    ],
    ["header", "'image/jpeg'", "id > 0 AND id % 3 = 0"],
  ])
    await db.rows(
      `UPDATE accounts SET ${image}_content_type = ${type}, ${image}_file_name = ${name(type ?? "")},
         ${image}_file_size = (3000 + 20000 * random())::int, ${image}_updated_at = updated_at,
         ${image}_remote_url = CASE WHEN domain IS NULL THEN '' ELSE uri || '/${image}' END,
         ${image}_storage_schema_version = CASE WHEN domain IS NULL OR id % 11 <> 5 THEN 1 END WHERE ${whom}`,
    );
}

/** Emoji, preview cards, the site's own pictures, one archive. */
export async function things(db: Session, a: Amounts): Promise<void> {
  await db.rows(
    `INSERT INTO custom_emojis (shortcode, domain, image_content_type, image_file_name, image_file_size, image_updated_at,
       image_storage_schema_version, created_at, updated_at)
     SELECT 'blob_' || n, CASE WHEN n % 3 > 0 THEN 'm' || n % 40 || '.fedi.example' END, 'image/png', ${name("'image/png'")},
       4000, now(), CASE WHEN n % 3 > 0 THEN 1 END, now(), now() FROM generate_series(1, $1::int) n`,
    [a.emojis],
  );
  await db.rows(
    `WITH card AS (INSERT INTO preview_cards (url, title, description, image_content_type, image_file_name, image_file_size,
         image_updated_at, image_storage_schema_version, created_at, updated_at)
       SELECT 'https://news.example/' || n, 'News ' || n, 'About ' || n, 'image/jpeg', ${name("'image/jpeg'")}, 10000, now(), 1,
         now(), now() FROM generate_series(1, $1::int) n RETURNING id, url)
     INSERT INTO preview_cards_statuses (preview_card_id, status_id, url)
     SELECT card.id, s.id, card.url FROM card
     JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM statuses) s ON s.n = card.id`,
    [a.cards],
  );
  await db.rows(
    `INSERT INTO site_uploads (var, file_content_type, file_file_name, file_file_size, file_updated_at, created_at, updated_at)
     SELECT v, 'image/png', ${name("'image/png'")}, 30000, now(), now(), now()
     FROM unnest(ARRAY['thumbnail', 'favicon', 'app_icon', 'mascot']) v`,
  );
  await db.rows(
    `INSERT INTO backups (user_id, dump_file_name, dump_content_type, dump_file_size, dump_updated_at, processed, created_at, updated_at)
     SELECT id, 'archive-' || to_char(now(), 'YYYYMMDDHH24MISS') || '-' || md5(email) || '.zip', 'application/zip', 50000, now(),
       true, now(), now() FROM users ORDER BY id LIMIT 1`,
  );
}

const sources: [Attachment, string][] = [
  [
    "media_attachments/files",
    `SELECT m.id, file_file_name AS file, file_content_type AS type, file_file_size AS size, a.suspended_at IS NOT NULL AS suspended,
       remote_url <> '' AND file_storage_schema_version IS NOT NULL AS cached
     FROM media_attachments m JOIN accounts a ON a.id = m.account_id WHERE file_file_name IS NOT NULL`,
  ],
  [
    // Until 4.6 a thumbnail has no storage schema version: those of other servers lie outside `cache/` too.
    "media_attachments/thumbnails",
    `SELECT m.id, thumbnail_file_name AS file, thumbnail_content_type AS type, thumbnail_file_size AS size, false AS cached,
       a.suspended_at IS NOT NULL AS suspended
     FROM media_attachments m JOIN accounts a ON a.id = m.account_id WHERE thumbnail_file_name IS NOT NULL`,
  ],
  ...(["avatar", "header"] as const).map((image): [Attachment, string] => [
    `accounts/${image}s`,
    `SELECT id, ${image}_file_name AS file, ${image}_content_type AS type, ${image}_file_size AS size,
       domain IS NOT NULL AND ${image}_storage_schema_version IS NOT NULL AS cached, false AS suspended
     FROM accounts WHERE ${image}_file_name IS NOT NULL`,
  ]),
  [
    "custom_emojis/images",
    `SELECT id, image_file_name AS file, image_content_type AS type, image_file_size AS size, false AS suspended,
       domain IS NOT NULL AS cached FROM custom_emojis`,
  ],
  [
    "preview_cards/images",
    `SELECT id, image_file_name AS file, image_content_type AS type, image_file_size AS size, true AS cached,
       false AS suspended FROM preview_cards`,
  ],
  [
    "site_uploads/files",
    `SELECT id, var, file_file_name AS file, file_content_type AS type, file_file_size AS size, false AS cached,
       false AS suspended FROM site_uploads`,
  ],
  [
    "backups/dumps",
    `SELECT id, dump_file_name AS file, dump_content_type AS type, dump_file_size AS size, false AS cached, false AS suspended
     FROM backups`,
  ],
];

const tables = {
  "media_attachments/files": ["media_attachments", "file"],
  "media_attachments/thumbnails": ["media_attachments", "thumbnail"],
  "accounts/avatars": ["accounts", "avatar"],
  "accounts/headers": ["accounts", "header"],
  "custom_emojis/images": ["custom_emojis", "image"],
  "preview_cards/images": ["preview_cards", "image"],
  "site_uploads/files": ["site_uploads", "file"],
  "backups/dumps": ["backups", "dump"],
};

/** Writes every file that the rows imply, and puts the true sizes into the rows. */
export async function write({ db, storage }: Instance): Promise<Written> {
  const written = { files: 0, bytes: 0 };
  for (const [attachment, sql] of sources) {
    const rows = await db.rows<FileRow>(sql);
    const sizes: number[] = [];
    for (const row of rows) {
      const original = fileOf(row.type, Number(row.size));
      sizes.push(original.length);
      for (const style of ["original", ...styles(attachment, row.type, row.var)]) {
        const bytes =
          style === "original" ? original : fileOf("image/png", Math.min(original.length, 12_000));
        const at = key(attachment, style, row);
        await storage.put(at, bytes, attachment === "backups/dumps");
        if (row.suspended) await storage.hide(at, true);
        written.files++;
        written.bytes += bytes.length;
      }
    }
    const [table, column] = tables[attachment] as [string, string];
    await db.rows(
      `UPDATE ${table} t SET ${column}_file_size = s.size FROM unnest($1::bigint[], $2::int[]) s(id, size) WHERE t.id = s.id`,
      [rows.map((r) => r.id), sizes],
    );
  }
  return written;
}
