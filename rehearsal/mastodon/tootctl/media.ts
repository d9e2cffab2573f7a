import type { Row } from "../app/database";
import type { Instance } from "../app/instance";
import { type Attachment, keys } from "../app/paths";
import { redownload } from "../sidekiq/jobs/media";
import type { Parsed } from "./options";
import { fail, say, size } from "./say";

interface FileRow extends Row {
  id: string;
  file: string;
  type: string;
  size: string;
  cached: boolean;
}

async function drop(i: Instance, attachment: Attachment, row: FileRow): Promise<number> {
  for (const key of keys(attachment, row.type ?? "", row)) await i.storage.remove(key);
  return Number(row.size ?? 0);
}

const days = (p: Parsed) => Number(p.flags.days);

/** Drops what was fetched from other servers and can be fetched again: files go, rows stay with their columns emptied. */
export async function remove(i: Instance, p: Parsed): Promise<void> {
  if (p.flags["prune-profiles"] || p.flags["remove-headers"]) return removeProfiles(i, p);
  if (p.flags["include-follows"])
    fail("--include-follows can only be used with --prune-profiles or --remove-headers");
  const rows = await i.db.rows<FileRow>(
    `SELECT id, file_file_name AS file, file_content_type AS type, coalesce(file_file_size, 0) AS size,
       coalesce(file_storage_schema_version, 0) >= 1 AS cached FROM media_attachments
     WHERE remote_url <> '' AND file_file_name IS NOT NULL AND created_at < now() - make_interval(days => $1)`,
    [days(p)],
  );
  let bytes = 0;
  for (const row of rows) {
    bytes += Number(row.size);
    if (p.flags["dry-run"]) continue;
    await drop(i, "media_attachments/files", row);
    await i.db.rows(
      `UPDATE media_attachments SET file_file_name = NULL, file_content_type = NULL, file_file_size = NULL,
         file_updated_at = NULL WHERE id = $1`,
      [row.id],
    );
  }
  say(`Removed ${rows.length} media attachments (approx. ${size(bytes)})`, p);
}

async function removeProfiles(i: Instance, p: Parsed): Promise<void> {
  let bytes = 0;
  let visited = 0;
  const followed = p.flags["include-follows"]
    ? ""
    : "AND NOT EXISTS (SELECT FROM follows f WHERE a.id IN (f.account_id, f.target_account_id))";
  const which =
    p.flags["remove-headers"] && !p.flags["prune-profiles"]
      ? (["header"] as const)
      : (["avatar", "header"] as const);
  for (const image of which) {
    const rows = await i.db.rows<FileRow>(
      `SELECT id, ${image}_file_name AS file, ${image}_content_type AS type, coalesce(${image}_file_size, 0) AS size,
         coalesce(${image}_storage_schema_version, 0) >= 1 AS cached FROM accounts a
       WHERE domain IS NOT NULL AND ${image}_file_name IS NOT NULL AND updated_at < now() - make_interval(days => $1) ${followed}`,
      [days(p)],
    );
    visited += rows.length;
    for (const row of rows) {
      bytes += Number(row.size);
      if (p.flags["dry-run"]) continue;
      await drop(i, `accounts/${image}s`, row);
      await i.db.rows(
        `UPDATE accounts SET ${image}_file_name = NULL, ${image}_file_size = NULL WHERE id = $1`,
        [row.id],
      );
    }
  }
  say(`Visited ${visited} accounts and removed profile media totaling ${size(bytes)}`, p);
}

export async function refresh(i: Instance, p: Parsed): Promise<void> {
  const { status, account, domain, days: since } = p.flags;
  const [where, value] = status
    ? ["m.status_id = $1", status]
    : account
      ? ["a.username || '@' || a.domain = $1", account]
      : domain
        ? ["a.domain = $1", domain]
        : since
          ? ["m.created_at > now() - make_interval(days => $1::int)", since]
          : fail("Specify the source of media attachments");
  const empty = p.flags.force ? "" : "AND m.file_file_name IS NULL";
  const rows = await i.db.rows<FileRow>(
    `SELECT m.id FROM media_attachments m JOIN accounts a ON a.id = m.account_id WHERE m.remote_url <> '' ${empty} AND ${where}`,
    [value],
  );
  let done = 0;
  for (const { id } of rows) {
    if (p.flags["dry-run"]) done++;
    // One record's failure is told and changes nothing else, not even the exit status.
    else
      await redownload(i, id).then(
        () => done++,
        (e: Error) => process.stderr.write(`Error processing ${id}: ${e.message}\n`),
      );
  }
  say(`Downloaded ${done} media attachments (approx. 0 Bytes)`, p);
}

/** What the rows say: originals only, so that the disk holds more. */
export async function usage(i: Instance): Promise<void> {
  const sum = (name: string, table: string, column: string, local: string) =>
    i.db
      .one<Row>(
        `SELECT coalesce(sum(${column}), 0) AS total, coalesce(sum(${column}) FILTER (WHERE ${local}), 0) AS local FROM ${table}`,
      )
      .then((row) => [name, size(Number(row?.total)), size(Number(row?.local))]);
  const rows = [
    ["Object", "Total", "Local"],
    await sum(
      "Attachments",
      "media_attachments",
      "coalesce(file_file_size, 0) + coalesce(thumbnail_file_size, 0)",
      "remote_url = ''",
    ),
    await sum("Custom emoji", "custom_emojis", "image_file_size", "domain IS NULL"),
    await sum("Avatars", "accounts", "avatar_file_size", "domain IS NULL"),
    await sum("Headers", "accounts", "header_file_size", "domain IS NULL"),
    await sum("Preview cards", "preview_cards", "image_file_size", "false"),
    await sum("Backups", "backups", "dump_file_size", "true"),
    await sum("Settings", "site_uploads", "file_file_size", "true"),
  ];
  for (const row of rows)
    say(
      row
        .map((cell) => cell.padEnd(16))
        .join("")
        .trimEnd(),
    );
}

export async function lookup(i: Instance, p: Parsed): Promise<void> {
  const [, , group, path = "", , file] =
    /^(https?:\/\/[^/]+\/(?:system\/)?(?:cache\/)?)(\w+)\/\w+\/((?:\d{3}\/)+)(\w+)\/([^/]+)$/.exec(
      p.args[0] ?? "",
    ) ?? [];
  const id = path.replaceAll("/", "").replace(/^0+/, "");
  const row =
    group === "media_attachments"
      ? await i.db.one<Row & { url: string }>(
          "SELECT s.url FROM media_attachments m JOIN statuses s ON s.id = m.status_id WHERE m.id = $1 AND $2 <> ''",
          [id, file],
        )
      : undefined;
  say(row?.url ?? fail("Not a media URL"));
}

export async function removeCards(i: Instance, p: Parsed): Promise<void> {
  const rows = await i.db.rows<FileRow>(
    `SELECT id, image_file_name AS file, image_content_type AS type, coalesce(image_file_size, 0) AS size,
       coalesce(image_storage_schema_version, 0) >= 1 AS cached FROM preview_cards
     WHERE image_file_name IS NOT NULL AND updated_at < now() - make_interval(days => $1) ${p.flags.link ? "AND type = 0" : ""}`,
    [days(p)],
  );
  let bytes = 0;
  for (const row of rows) {
    bytes += Number(row.size);
    if (p.flags["dry-run"]) continue;
    await drop(i, "preview_cards/images", row);
    await i.db.rows("UPDATE preview_cards SET image_file_name = NULL, image_file_size = NULL WHERE id = $1", [
      row.id,
    ]);
  }
  say(`Removed ${rows.length} ${p.flags.link ? "link-type " : ""}preview cards (approx. ${size(bytes)})`, p);
}
