import { randomBytes } from "node:crypto";
import type { Row } from "../../app/database";
import type { Instance } from "../../app/instance";
import { key } from "../../app/paths";
import { fileOf } from "../../app/picture";

/** Makes somebody's archive, which only they may fetch. */
export async function backup(i: Instance, id: string): Promise<void> {
  const row = await i.db.one<Row & { processed: boolean }>("SELECT processed FROM backups WHERE id = $1", [
    id,
  ]);
  if (!row || row.processed) return;
  const time = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const file = `archive-${time}-${randomBytes(16).toString("hex")}.zip`;
  const bytes = fileOf("application/zip", 50_000);
  await i.db.transaction(async (db) => {
    await db.rows(
      `UPDATE backups SET dump_file_name = $2, dump_content_type = 'application/zip', dump_file_size = $3,
         dump_updated_at = now(), processed = true, updated_at = now() WHERE id = $1`,
      [id, file, bytes.length],
    );
    await i.storage.put(key("backups/dumps", "original", { id, file }), bytes, true);
  });
}
