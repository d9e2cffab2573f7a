import { randomBytes } from "node:crypto";
import type { Row, Session } from "../app/database";
import { type Attachment, extension, keys } from "../app/paths";
import { accountsById, renderAccount } from "../app/render";
import { json, multipart, Refusal, type Request, type Response, user } from "./http";

/** Changes the own face: a file with a new name comes, the one before goes once the row is written. */
export async function update(r: Request): Promise<Response> {
  const me = user(r);
  const { file, field } = multipart(r);
  const image = field === "avatar" || field === "header" ? field : undefined;
  if (!file || !image) throw new Refusal(422, "Validation failed: Avatar can't be blank");
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type))
    throw new Refusal(422, "Validation failed: Avatar content type is invalid");
  const old = await r.db.transaction((db) => replace(r, db, { id: me.accountId, image, file }));
  for (const key of old) await r.storage.remove(key);
  const [account] = await accountsById(r.db, [me.accountId]);
  if (!account) throw new Refusal(404, "Record not found");
  return json(renderAccount(r.config, account));
}

async function replace(
  r: Request,
  db: Session,
  o: { id: string; image: "avatar" | "header"; file: { bytes: Buffer; type: string } },
): Promise<string[]> {
  const { id, image, file } = o;
  const was = await db.one<Row & { name: string | null; type: string | null }>(
    `SELECT ${image}_file_name AS name, ${image}_content_type AS type FROM accounts WHERE id = $1 FOR UPDATE`,
    [id],
  );
  const name = `${randomBytes(8).toString("hex")}.${extension(file.type)}`;
  await db.rows(
    `UPDATE accounts SET ${image}_file_name = $2, ${image}_content_type = $3, ${image}_file_size = $4,
       ${image}_updated_at = now(), ${image}_storage_schema_version = 1, updated_at = now() WHERE id = $1`,
    [id, name, file.type, file.bytes.length],
  );
  const attachment: Attachment = `accounts/${image}s`;
  for (const key of keys(attachment, file.type, { id, file: name })) await r.storage.put(key, file.bytes);
  return was?.name ? keys(attachment, was.type ?? "", { id, file: was.name }) : [];
}
