import { randomBytes } from "node:crypto";
import type { Instance } from "../../app/instance";
import { extension, keys } from "../../app/paths";
import { picture } from "../../app/picture";
import type { Media } from "../../app/render";
import { cachedMedia } from "../../app/render";

const find = (i: Instance, id: string) =>
  i.db.one<Media>("SELECT * FROM media_attachments WHERE id = $1", [id]);

/**
 * Finishes an upload that had to be converted: the original is fetched and written once more (the real one has another
 * encoding by then, under the same name), its preview picture made, its state changed.
 */
export async function postProcess(i: Instance, id: string): Promise<void> {
  const media = await find(i, id);
  if (!media?.file_file_name || media.processing === 2) return;
  await i.db.rows("UPDATE media_attachments SET processing = 1, updated_at = now() WHERE id = $1", [id]);
  const [original = "", small] = keys("media_attachments/files", media.file_content_type ?? "", {
    id,
    file: media.file_file_name,
  });
  await i.storage.put(original, await i.storage.get(original));
  if (small) await i.storage.put(small, picture(4000));
  await i.db.rows(
    "UPDATE media_attachments SET processing = 2, file_updated_at = now(), updated_at = now() WHERE id = $1",
    [id],
  );
}

/** Fetches a picture of another server into `cache/`. */
export async function redownload(i: Instance, id: string): Promise<void> {
  const media = await find(i, id);
  if (!media || media.file_file_name || !media.remote_url) return;
  const answer = await i.web.request({ method: "GET", url: media.remote_url });
  if (answer.status !== 200) throw new Error(`${media.remote_url} returned code ${answer.status}`);
  const type = typeOf(answer.body);
  const file = `${randomBytes(8).toString("hex")}.${extension(type) ?? "png"}`;
  await i.db.transaction(async (db) => {
    await db.rows(
      `UPDATE media_attachments SET file_file_name = $2, file_content_type = $3, file_file_size = $4,
         file_storage_schema_version = 1, file_updated_at = now(), updated_at = now() WHERE id = $1`,
      [id, file, type, answer.body.length],
    );
    const cached = cachedMedia({ ...media, file_storage_schema_version: 1 });
    for (const key of keys("media_attachments/files", type, { id, file, cached }))
      await i.storage.put(key, answer.body);
  });
}

function typeOf(bytes: Buffer): string {
  const start = bytes.toString("latin1", 0, 12);
  if (start.startsWith("\xff\xd8")) return "image/jpeg";
  if (start.startsWith("GIF8")) return "image/gif";
  if (start.slice(8) === "WEBP") return "image/webp";
  return start.slice(4, 8) === "ftyp" ? "video/mp4" : "image/png";
}
