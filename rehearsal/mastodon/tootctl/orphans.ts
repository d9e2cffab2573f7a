import type { Row } from "../app/database";
import type { Instance } from "../app/instance";
import type { Parsed } from "./options";
import { say } from "./say";

const tables: Record<string, string> = {
  "accounts/avatars": "avatar",
  "accounts/headers": "header",
  "backups/dumps": "dump",
  "custom_emojis/images": "image",
  "media_attachments/files": "file",
  "media_attachments/thumbnails": "thumbnail",
  "preview_cards/images": "image",
  "site_uploads/files": "file",
};

/** Deletes every file whose name is not what its row says now. Never to be run against a database that lags behind. */
export async function removeOrphans(i: Instance, p: Parsed): Promise<void> {
  let removed = 0;
  const { prefix, "start-after": startAfter, "dry-run": dry } = p.flags as Record<string, string | undefined>;
  for await (const key of i.storage.keys({ prefix, startAfter })) {
    const wanted = await expected(i, key);
    if (wanted === undefined) process.stderr.write(`Unrecognized file found: ${key}\n`);
    if (wanted && p.flags["fix-permissions"] && !dry) await i.storage.hide(key, false);
    if (wanted === undefined || wanted) continue;
    if (!dry) await i.storage.remove(key);
    say(`Found and removed orphan: ${key}`);
    removed++;
  }
  say(`Removed ${removed} orphans (approx. 0 Bytes)`, p);
}

/** Whether a row wants the file; undefined when its path is none of Mastodon's. */
async function expected(i: Instance, key: string): Promise<boolean | undefined> {
  const segments = key.replace(/^cache\//, "").split("/");
  const column = tables[segments.slice(0, 2).join("/")];
  if (!column || ![7, 10].includes(segments.length)) return undefined;
  const id = BigInt(segments.slice(2, -2).join(""));
  const sql = `SELECT ${column}_file_name AS name FROM ${segments[0]} WHERE id = $1`;
  const row = await i.db.one<Row & { name: string | null }>(sql, [String(id)]);
  const stem = (name: string) => name.replace(/\.[^.]*$/, "");
  return Boolean(row?.name) && stem(row?.name ?? "") === stem(segments.at(-1) ?? "");
}
