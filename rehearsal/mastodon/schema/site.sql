CREATE TABLE site_uploads (
  id bigserial PRIMARY KEY, var varchar NOT NULL DEFAULT '', file_file_name varchar, file_content_type varchar,
  file_file_size integer, file_updated_at timestamp, meta json, created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL, blurhash varchar
);
CREATE TABLE settings (
  id bigserial PRIMARY KEY, var varchar NOT NULL, value text, created_at timestamp, updated_at timestamp
);
CREATE TABLE backups (
  id bigserial PRIMARY KEY, user_id bigint REFERENCES users ON DELETE SET NULL, dump_file_name varchar,
  dump_content_type varchar, dump_file_size bigint, dump_updated_at timestamp, processed boolean NOT NULL DEFAULT false,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL
);
CREATE TABLE tombstones (
  id bigserial PRIMARY KEY, account_id bigint REFERENCES accounts ON DELETE CASCADE, uri varchar NOT NULL,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL, by_moderator boolean
);
CREATE TABLE unavailable_domains (
  id bigserial PRIMARY KEY, domain varchar NOT NULL DEFAULT '', created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE TABLE domain_blocks (
  id bigserial PRIMARY KEY, domain varchar NOT NULL DEFAULT '', created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  severity integer DEFAULT 0, reject_media boolean NOT NULL DEFAULT false, reject_reports boolean NOT NULL DEFAULT false,
  private_comment text, public_comment text, obfuscate boolean NOT NULL DEFAULT false
);
CREATE TABLE rules (
  id bigserial PRIMARY KEY, priority integer NOT NULL DEFAULT 0, deleted_at timestamp, text text NOT NULL DEFAULT '',
  created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL, hint text NOT NULL DEFAULT ''
);
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
CREATE TABLE ar_internal_metadata (
  key varchar PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
-- The real 4.5 has 107 tables; these are the ones that a move, its checks or the stand-in touch.
INSERT INTO schema_migrations
  VALUES ('20221206114142'), ('20230907150100'), ('20240307180905'), ('20241007071624'), ('20241123160722'),
         ('20250520192024'), ('20250627132728'), ('20251023210145');
INSERT INTO ar_internal_metadata
  VALUES ('environment', 'production', now(), now()), ('schema_sha1', md5('4.5') || '00000000', now(), now());

CREATE MATERIALIZED VIEW instances AS
  WITH domain_counts(domain, accounts_count) AS (
    SELECT domain, count(*) FROM accounts WHERE domain IS NOT NULL GROUP BY domain
  )
  SELECT domain, accounts_count FROM domain_counts
  UNION
  SELECT b.domain, coalesce(c.accounts_count, 0)
  FROM domain_blocks b LEFT JOIN domain_counts c ON c.domain = b.domain;
CREATE MATERIALIZED VIEW account_summaries AS
  SELECT a.id AS account_id, mode() WITHIN GROUP (ORDER BY s.language) AS language,
         bool_or(s.sensitive) AS sensitive
  FROM accounts a JOIN statuses s ON s.account_id = a.id
  WHERE a.suspended_at IS NULL AND a.silenced_at IS NULL AND a.moved_to_account_id IS NULL AND a.discoverable
  GROUP BY a.id;
CREATE MATERIALIZED VIEW global_follow_recommendations AS
  SELECT f.target_account_id AS account_id, count(*)::numeric AS rank, '{most_followed}'::text[] AS reason
  FROM follows f JOIN account_summaries s ON s.account_id = f.target_account_id GROUP BY 1;
CREATE VIEW user_ips AS
  SELECT user_id, ip, max(used_at) AS used_at FROM (
    SELECT id AS user_id, sign_up_ip AS ip, created_at AS used_at FROM users WHERE sign_up_ip IS NOT NULL
    UNION ALL SELECT user_id, ip, updated_at FROM session_activations
  ) t GROUP BY user_id, ip;
