import { accountById } from "../app/actors";
import { enqueue } from "../app/jobs";
import type { Row } from "../app/database";
import { id, json, parameters, Refusal, type Request, type Response, user } from "./http";

/** Whether somebody may manage users: a bit of their role, or the bit that means all. */
async function allowed(r: Request): Promise<void> {
  const row = await r.db.one<Row>(
    `SELECT 1 FROM users u JOIN user_roles r ON r.id = u.role_id
     WHERE u.id = $1 AND (r.permissions & 1 = 1 OR r.permissions & 1024 = 1024)`,
    [user(r).userId],
  );
  if (!row) throw new Refusal(403, "This action is not allowed");
}

async function target(r: Request): Promise<string> {
  await allowed(r);
  const account = await accountById(r.db, id(r.params[0]));
  if (!account) throw new Refusal(404, "Record not found");
  return account.id;
}

/** Suspends at once for readers; a job then hides the files. */
export async function act(r: Request): Promise<Response> {
  const account = await target(r);
  if (parameters(r).type !== "suspend")
    throw new Refusal(422, "Validation failed: Type is not included in the list");
  await r.db.rows("UPDATE accounts SET suspended_at = now(), suspension_origin = 0 WHERE id = $1", [account]);
  await enqueue(r.sidekiq, "Admin::SuspensionWorker", account);
  return json({});
}

export async function unsuspend(r: Request): Promise<Response> {
  const account = await target(r);
  const lifted = await r.db.one(
    "UPDATE accounts SET suspended_at = NULL, suspension_origin = NULL WHERE id = $1 AND suspended_at IS NOT NULL RETURNING id",
    [account],
  );
  if (!lifted) throw new Refusal(403, "This action is not allowed");
  await enqueue(r.sidekiq, "Admin::UnsuspensionWorker", account);
  return json({});
}
