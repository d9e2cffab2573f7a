import { create } from "../../app/activities";
import { accountById, signingKey } from "../../app/actors";
import type { Row } from "../../app/database";
import type { Instance } from "../../app/instance";
import { type Job, job, push } from "../../app/jobs";
import type { Status } from "../../app/render";

/** Finds out who elsewhere is to get a status, and makes a delivery of each. */
export async function distribute(i: Instance, statusId: string): Promise<void> {
  const s = await i.db.one<Status>("SELECT * FROM statuses WHERE id = $1 AND deleted_at IS NULL", [statusId]);
  const author = s && (await accountById(i.db, s.account_id));
  if (!s || !author || author.domain !== null) return;
  const inboxes = await remoteInboxes(i, s);
  if (inboxes.length === 0) return;
  const activity = JSON.stringify(await create(i.config, i.db, author, s));
  await push(
    i.sidekiq,
    inboxes.map((inbox) => job("ActivityPub::DeliveryWorker", [activity, author.id, inbox, {}])),
  );
}

/** Shared inboxes first, each once; servers given up as unavailable are left out. */
export async function remoteInboxes(i: Instance, s: Status): Promise<string[]> {
  const rows = await i.db.rows<Row & { inbox: string }>(
    `SELECT DISTINCT coalesce(nullif(a.shared_inbox_url, ''), a.inbox_url) AS inbox FROM accounts a
     WHERE a.domain IS NOT NULL AND a.inbox_url <> ''
       AND a.domain NOT IN (SELECT domain FROM unavailable_domains)
       AND (($2 <= 2 AND a.id IN (SELECT account_id FROM follows WHERE target_account_id = $1))
         OR a.id IN (SELECT account_id FROM mentions WHERE status_id = $3))`,
    [s.account_id, s.visibility, s.id],
  );
  return rows.map((r) => r.inbox);
}

/** Answers after which trying again is useless. */
export const unsalvageable = (status: number) =>
  status === 501 || (status >= 400 && status < 500 && ![401, 408, 429].includes(status));

/** Sends one activity to one inbox; the job fails, and comes again, unless the answer is final. */
export async function deliver(i: Instance, body: string, accountId: string, inbox: string): Promise<void> {
  const source = await accountById(i.db, accountId);
  const { host } = new URL(inbox);
  if (!source || (await i.db.one("SELECT 1 FROM unavailable_domains WHERE domain = $1", [host]))) return;
  const headers = { "content-type": "application/activity+json" };
  const answer = await i.web.request({
    method: "POST",
    url: inbox,
    body,
    headers,
    key: signingKey(i.config, source),
  });
  const good = answer.status >= 200 && answer.status < 300;
  if (good) await i.redis.call("DEL", `exhausted_deliveries:${host}`);
  if (good || unsalvageable(answer.status)) return;
  const message = `${inbox} returned code ${answer.status}`;
  throw Object.assign(new Error(message), { name: "Mastodon::UnexpectedResponseError" });
}

/** A server that failed to the end on seven different days is given up, until it is heard from again. */
export async function deliveryExhausted(i: Instance, failed: Job): Promise<void> {
  const { host } = new URL(String(failed.args[2]));
  const key = `exhausted_deliveries:${host}`;
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const [, days] = await i.redis.pipeline([
    ["SADD", key, day],
    ["SCARD", key],
  ]);
  if (Number(days) < 7) return;
  await i.db.rows(
    "INSERT INTO unavailable_domains (domain, created_at, updated_at) VALUES ($1, now(), now()) ON CONFLICT (domain) DO NOTHING",
    [host],
  );
}
