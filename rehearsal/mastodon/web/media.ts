import { randomBytes } from "node:crypto";
import { enqueue } from "../app/jobs";
import { extension, key } from "../app/paths";
import { type Media, renderMedia } from "../app/render";
import { redownload } from "../sidekiq/jobs/media";
import { id, json, multipart, Refusal, type Request, type Response, text, user } from "./http";

const limits = { image: 16 << 20, video: 99 << 20 };
const kinds: Record<string, number> = { "image/gif": 1, "video/mp4": 2, "audio/mpeg": 4 };

/**
 * Takes an upload. The files are written inside the transaction, as Paperclip does: a row that others can see has its files.
 * Pictures are ready at once; what has to be converted is answered 202 and finished by a job.
 */
export async function create(r: Request): Promise<Response> {
  const me = user(r);
  const { file, fields } = multipart(r);
  if (!file) throw new Refusal(422, "Validation failed: File can't be blank");
  const extended = extension(file.type);
  if (!extended || extended === "zip")
    throw new Refusal(422, "Validation failed: File content type is invalid");
  const kind = kinds[file.type] ?? 0;
  if (file.bytes.length > (kind === 0 || kind === 1 ? limits.image : limits.video))
    throw new Refusal(422, "Validation failed: File file size must be less than the limit");
  const name = `${randomBytes(8).toString("hex")}.${extended}`;
  const row = await r.db.transaction(async (db) => {
    const media = await db.one<Media>(
      `INSERT INTO media_attachments (account_id, type, file_file_name, file_content_type, file_file_size, file_updated_at,
         file_meta, description, processing, shortcode, file_storage_schema_version, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, now(), $6, $7, $8, $9, 1, now(), now()) RETURNING *`,
      [
        ...[me.accountId, kind, name, file.type, file.bytes.length, meta(file.bytes, file.type)],
        ...[fields.description ?? null, kind === 0 ? 2 : 0, randomBytes(14).toString("base64url")],
      ],
    );
    if (!media) throw new Error("INSERT gave no row");
    // The real one makes the small style smaller; what counts here is that each has the right place and mode.
    for (const style of kind === 0 ? ["original", "small"] : ["original"])
      await r.storage.put(key("media_attachments/files", style, { id: media.id, file: name }), file.bytes);
    return media;
  });
  if (kind !== 0) await enqueue(r.sidekiq, "PostProcessMediaWorker", row.id);
  return json(renderMedia(r.config, row), kind === 0 ? 200 : 202);
}

export async function get(r: Request): Promise<Response> {
  const me = user(r);
  const sql = "SELECT * FROM media_attachments WHERE id = $1 AND account_id = $2";
  const row = await r.db.one<Media>(sql, [id(r.params[0]), me.accountId]);
  if (!row) throw new Refusal(404, "Record not found");
  if (row.processing === 3) throw new Refusal(422, "Error processing thumbnail for uploaded media");
  return json(renderMedia(r.config, row), row.processing === null || row.processing === 2 ? 200 : 206);
}

/** Shows a picture of another server whose file is not here: fetches it, then points to it. */
export async function proxy(r: Request): Promise<Response> {
  const [media = "", style] = r.params;
  await redownload(r, id(media)).catch((e: Error) => {
    throw new Refusal(503, e.message);
  });
  const row = await r.db.one<Media>("SELECT * FROM media_attachments WHERE id = $1 AND remote_url <> ''", [
    id(media),
  ]);
  if (!row?.file_file_name) throw new Refusal(404, "Record not found");
  const shown = renderMedia(r.config, row);
  const location = String(style === "small" ? shown.preview_url : shown.url);
  return { ...text("", 302), headers: { location } };
}

function meta(bytes: Buffer, type: string): string {
  if (type !== "image/png" || bytes.length < 24) return "{}";
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const size = { width, height, size: `${width}x${height}`, aspect: width / Math.max(1, height) };
  return JSON.stringify({ original: size, small: size });
}
