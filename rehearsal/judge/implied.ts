/** What files the rows say there are: the judge's own reading of Mastodon's law. */
import type { Site } from "./site";

/** One file that a row implies. */
export interface Implied {
  key: string;
  /** Size by the row; only of originals. */
  bytes?: number;
  type: string;
  /** Nobody may read it without a signature: an archive, or an attachment of a suspended account (not its avatar). */
  secret: boolean;
}

interface FileRow {
  id: string;
  name: string;
  type: string;
  bytes: number | null;
  cached: boolean;
  secret: boolean;
  var: string;
}

interface Kind {
  folder: string;
  table: string;
  column: string;
  /** SQL: whether it lies below cache/, and whose it is. */
  cached: string;
  account?: string;
}

/** As Mastodon 4.5 has them: thumbnails of other servers' media are not below cache/ there. */
const kinds: Kind[] = [
  {
    folder: "media_attachments/files",
    table: "media_attachments",
    column: "file",
    cached: "t.remote_url <> '' AND t.file_storage_schema_version >= 1",
    account: "t.account_id",
  },
  {
    folder: "media_attachments/thumbnails",
    table: "media_attachments",
    column: "thumbnail",
    cached: "false",
    account: "t.account_id",
  },
  {
    folder: "accounts/avatars",
    table: "accounts",
    column: "avatar",
    cached: "t.domain IS NOT NULL AND t.avatar_storage_schema_version >= 1",
  },
  {
    folder: "accounts/headers",
    table: "accounts",
    column: "header",
    cached: "t.domain IS NOT NULL AND t.header_storage_schema_version >= 1",
  },
  {
    folder: "custom_emojis/images",
    table: "custom_emojis",
    column: "image",
    cached: "t.domain IS NOT NULL AND t.image_storage_schema_version >= 1",
  },
  {
    folder: "preview_cards/images",
    table: "preview_cards",
    column: "image",
    cached: "t.image_storage_schema_version >= 1",
  },
  { folder: "site_uploads/files", table: "site_uploads", column: "file", cached: "false" },
  { folder: "backups/dumps", table: "backups", column: "dump", cached: "false" },
];

/** Every file that the rows imply now. */
export async function impliedFiles(site: Site): Promise<Map<string, Implied>> {
  const all = new Map<string, Implied>();
  for (const kind of kinds)
    for (const row of await site.rows<FileRow>(query(kind)))
      for (const file of filesOf(kind.folder, row)) all.set(file.key, file);
  return all;
}

function query({ folder, table, column, cached, account }: Kind): string {
  const secret = folder === "backups/dumps" ? "true" : account ? "a.suspended_at IS NOT NULL" : "false";
  const of = `t.${column}`;
  return `SELECT t.id::text, ${of}_file_name AS name, coalesce(${of}_content_type, '') AS type,
      ${of}_file_size AS bytes, coalesce(${cached}, false) AS cached, coalesce(${secret}, false) AS secret,
      ${table === "site_uploads" ? "t.var" : "''"} AS var
    FROM ${table} t ${account ? `LEFT JOIN accounts a ON a.id = ${account}` : ""} WHERE ${of}_file_name IS NOT NULL`;
}

function filesOf(folder: string, row: FileRow): Implied[] {
  const { id, name, type, secret } = row;
  const width = id.length <= 9 ? 9 : Math.max(12, Math.ceil(id.length / 3) * 3);
  const parts = id.padStart(width, "0").replaceAll(/(\d{3})(?=\d)/g, "$1/");
  const at = (style: string, file: string) =>
    `${row.cached ? "cache/" : ""}${folder}/${parts}/${style}/${file}`;
  const png = name.replace(/\.[^.]*$/, ".png");
  const original = { key: at("original", name), bytes: row.bytes ?? undefined, type, secret };
  const others = stylesOf(folder, row).map((style) => {
    const same = style === "small" && /^image\/(png|jpeg|webp)$/.test(type);
    return { key: at(style, same ? name : png), type: same ? type : "image/png", secret };
  });
  return [original, ...others];
}

const sizes: Record<string, string[]> = {
  thumbnail: ["@1x", "@2x"],
  favicon: ["16", "32", "48"],
  app_icon: "36 48 57 60 72 76 96 114 120 144 152 167 180 192 256 384 512 1024".split(" "),
};

function stylesOf(folder: string, row: FileRow): string[] {
  if (folder === "media_attachments/files") return row.type.startsWith("audio/") ? [] : ["small"];
  if (folder.startsWith("accounts/")) return row.type === "image/gif" ? ["static"] : [];
  if (folder === "custom_emojis/images") return ["static"];
  return folder === "site_uploads/files" ? (sizes[row.var] ?? []) : [];
}
