import type { Config } from "../app/config";
import type { Session } from "../app/database";
import type { Amounts } from "./sizes";

/** A year of posts, one in ten from here; each with a conversation of its own, ids as old as the posts. */
export async function statuses(config: Config, db: Session, a: Amounts): Promise<void> {
  await db.rows(
    `WITH local AS (SELECT array_agg(id) AS ids, array_agg(username) AS names FROM accounts WHERE domain IS NULL AND id > 0),
       remote AS (SELECT array_agg(id) AS ids, array_agg(uri) AS uris FROM accounts WHERE domain IS NOT NULL),
       post AS (SELECT n, n % 10 = 0 AS here, 1 + n / 10 % cardinality(local.ids) AS l, 1 + n % cardinality(remote.ids) AS r,
         now() - make_interval(secs => ($1::int - n + 60) * (31536000.0 / $1::int)) AS at, local.*,
         remote.ids AS rids, remote.uris AS uris FROM generate_series(1, $1::int) n, local, remote)
     INSERT INTO statuses (id, uri, url, text, created_at, updated_at, sensitive, visibility, language, conversation_id, local,
       account_id, reply)
     SELECT id, base, base, text, at, at, n % 50 = 0, CASE n % 20 WHEN 7 THEN 1 WHEN 0 THEN 2 ELSE 0 END,
       (ARRAY['en', 'de', 'fr', 'ja'])[1 + n % 4], n, here, CASE WHEN here THEN ids[l] ELSE rids[r] END, false
     FROM post, LATERAL (SELECT ((extract(epoch FROM at) * 1000)::bigint << 16) | (n & 65535) AS id) i,
       LATERAL (SELECT CASE WHEN here THEN $2 || '/users/' || names[l] || '/statuses/' || id
         ELSE uris[r] || '/statuses/' || id END AS base,
         'Post ' || n || ' ' || repeat(md5(n::text) || ' ', 1 + n % 9) AS text) t`,
    [a.statuses, `https://${config.webDomain}`],
  );
  await db.rows(
    `INSERT INTO conversations (id, created_at, updated_at, parent_status_id, parent_account_id)
     SELECT conversation_id, created_at, created_at, id, account_id FROM statuses`,
  );
  await db.rows("SELECT setval('conversations_id_seq', $1)", [a.statuses]);
  await db.rows(
    `UPDATE account_stats s SET statuses_count = c.n, last_status_at = c.last
     FROM (SELECT account_id, count(*) AS n, max(created_at) AS last FROM statuses WHERE local GROUP BY 1) c
     WHERE c.account_id = s.account_id`,
  );
}

const locals = "(SELECT array_agg(id) AS ids FROM accounts WHERE domain IS NULL AND id > 0) local";
const somebody = (n: string) =>
  `local.ids[1 + (abs(hashint8(s.id)::bigint) + ${n}) % cardinality(local.ids)]`;

/** What hangs on posts: favourites, mentions with their notifications, tags, counts. */
export async function interactions(db: Session): Promise<void> {
  await db.rows(
    `INSERT INTO favourites (account_id, status_id, created_at, updated_at)
     SELECT ${somebody("n")}, s.id, s.created_at, s.created_at FROM statuses s, generate_series(0, 1) n, ${locals}
     WHERE s.local AND hashint8(s.id) % 3 = 0`,
  );
  await db.rows(
    `INSERT INTO status_stats (status_id, favourites_count, created_at, updated_at)
     SELECT status_id, count(*), now(), now() FROM favourites GROUP BY 1`,
  );
  await db.rows(
    `WITH m AS (INSERT INTO mentions (status_id, account_id, created_at, updated_at)
       SELECT s.id, ${somebody("0")}, s.created_at, s.created_at FROM statuses s, ${locals}
       WHERE NOT s.local AND hashint8(s.id) % 20 = 0 RETURNING *)
     INSERT INTO notifications (activity_id, activity_type, account_id, from_account_id, type, created_at, updated_at)
     SELECT m.id, 'Mention', m.account_id, s.account_id, 'mention', m.created_at, m.created_at
     FROM m JOIN statuses s ON s.id = m.status_id`,
  );
  await db.rows(
    `INSERT INTO tags (name, display_name, created_at, updated_at)
     SELECT lower(t), t, now(), now() FROM unnest(ARRAY['Mastodon', 'Umzug', 'été', 'ÅNGSTRÖM', 'fedi', 'Straße']) t`,
  );
  await db.rows(
    `INSERT INTO statuses_tags (status_id, tag_id)
     SELECT s.id, 1 + abs(hashint8(s.id)::bigint) % 6 FROM statuses s WHERE hashint8(s.id) % 7 = 0 ON CONFLICT DO NOTHING`,
  );
}

/** Settings, rules, blocks, and traces of what was deleted. */
export async function site(db: Session): Promise<void> {
  const settings = {
    site_title: "--- Trunkline's rehearsal\n",
    site_short_description: "--- A server that moves\n",
    site_contact_email: "--- admin@mail.example\n",
    registrations_mode: "--- open\n",
    media_cache_retention_period: "--- 14\n",
  };
  for (const [name, value] of Object.entries(settings))
    await db.rows("INSERT INTO settings (var, value, created_at, updated_at) VALUES ($1, $2, now(), now())", [
      name,
      value,
    ]);
  await db.rows(
    `INSERT INTO rules (priority, text, created_at, updated_at) VALUES (0, 'Be kind', now(), now())`,
  );
  await db.rows(
    "INSERT INTO domain_blocks (domain, severity, created_at, updated_at) VALUES ('bad.fedi.example', 1, now(), now())",
  );
  await db.rows(
    `INSERT INTO tombstones (account_id, uri, created_at, updated_at)
     SELECT id, uri || '/statuses/gone', now(), now() FROM accounts WHERE domain IS NOT NULL ORDER BY id LIMIT 20`,
  );
  await db.rows(
    "INSERT INTO unavailable_domains (domain, created_at, updated_at) VALUES ('dead.fedi.example', now(), now())",
  );
  await db.rows(
    `UPDATE accounts SET suspended_at = now(), suspension_origin = 0
     WHERE username IN ('guest002', 'guest003') AND domain IS NULL`,
  );
}
