import type { Row } from "../app/database";
import type { Instance } from "../app/instance";
import type { Parsed } from "./options";
import { fail, say } from "./say";

export async function cacheClear(i: Instance): Promise<void> {
  let cursor = "0";
  do {
    const [next, keys] = (await i.cache.call("SCAN", cursor, "MATCH", "cache:*", "COUNT", 1000)) as [
      string,
      string[],
    ];
    if (keys.length) await i.cache.call("DEL", ...keys);
    cursor = next;
  } while (cursor !== "0");
  say("OK");
}

const recounts: Record<string, string> = {
  accounts: `INSERT INTO account_stats (account_id, statuses_count, followers_count, following_count, created_at, updated_at)
    SELECT a.id, (SELECT count(*) FROM statuses WHERE account_id = a.id AND deleted_at IS NULL),
      (SELECT count(*) FROM follows WHERE target_account_id = a.id),
      (SELECT count(*) FROM follows WHERE account_id = a.id), now(), now() FROM accounts a WHERE a.domain IS NULL
    ON CONFLICT (account_id) DO UPDATE SET statuses_count = excluded.statuses_count, updated_at = now(),
      followers_count = excluded.followers_count, following_count = excluded.following_count RETURNING id`,
  statuses: `INSERT INTO status_stats (status_id, replies_count, favourites_count, created_at, updated_at)
    SELECT s.id, (SELECT count(*) FROM statuses WHERE in_reply_to_id = s.id),
      (SELECT count(*) FROM favourites WHERE status_id = s.id), now(), now() FROM statuses s WHERE s.local
    ON CONFLICT (status_id) DO UPDATE SET replies_count = excluded.replies_count,
      favourites_count = excluded.favourites_count, updated_at = now() RETURNING id`,
};

export async function recount(i: Instance, p: Parsed): Promise<void> {
  const sql = recounts[p.args[0] ?? ""] ?? fail(`Unknown type: ${p.args[0]}`);
  say(`OK, recounted ${(await i.db.rows(sql)).length} records`);
}

export async function registrations(i: Instance, mode: string): Promise<void> {
  await i.db.rows(
    `INSERT INTO settings (var, value, created_at, updated_at) VALUES ('registrations_mode', $1, now(), now())
     ON CONFLICT (var) DO UPDATE SET value = excluded.value, updated_at = now()`,
    [`--- ${mode}\n`],
  );
  await i.cache.call("DEL", "cache:instance_presenter");
  say("OK");
}

/** Without ES_ENABLED there is nothing to deploy to. */
export async function searchDeploy(i: Instance): Promise<void> {
  if (i.config.env.ES_ENABLED !== "true")
    fail(
      "Elasticsearch connection error: ES_ENABLED is not set to true, and the stand-in has no Elasticsearch",
    );
  fail(
    `Elasticsearch connection error: cannot connect to ${i.config.env.ES_HOST || "localhost"}:${i.config.env.ES_PORT || 9200}`,
  );
}

/** Asks before it does anything, and refuses while Sidekiq runs or nobody is there to answer. */
export async function fixDuplicates(i: Instance): Promise<void> {
  const running = await i.sidekiq.call<number>("SCARD", "processes");
  if (running > 0)
    fail("It seems Sidekiq is running. All Mastodon processes need to be stopped when using this script.");
  const row = await i.db.one<Row & { version: string }>(
    "SELECT max(version) AS version FROM schema_migrations",
  );
  say(
    `Your version of the database schema (${row?.version}) is more recent than this script, this may cause unexpected errors.`,
  );
  say("Continue anyway? (Yes/No)");
  fail("Aborted: nobody answered");
}
