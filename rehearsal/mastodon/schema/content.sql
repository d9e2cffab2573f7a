CREATE TABLE conversations (
  id bigserial PRIMARY KEY, uri varchar, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  parent_status_id bigint, parent_account_id bigint
);
CREATE TABLE statuses (
  id bigint PRIMARY KEY DEFAULT timestamp_id('statuses'),
  uri varchar, text text NOT NULL DEFAULT '', created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  in_reply_to_id bigint REFERENCES statuses ON DELETE SET NULL,
  reblog_of_id bigint REFERENCES statuses ON DELETE CASCADE, url varchar,
  sensitive boolean NOT NULL DEFAULT false, visibility integer NOT NULL DEFAULT 0,
  spoiler_text text NOT NULL DEFAULT '', reply boolean NOT NULL DEFAULT false, language varchar,
  conversation_id bigint, local boolean, account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  application_id bigint, in_reply_to_account_id bigint REFERENCES accounts ON DELETE SET NULL, poll_id bigint,
  deleted_at timestamp, edited_at timestamp, trendable boolean, ordered_media_attachment_ids bigint[],
  fetched_replies_at timestamp, quote_approval_policy integer NOT NULL DEFAULT 0
);
CREATE TABLE media_attachments (
  id bigint PRIMARY KEY DEFAULT timestamp_id('media_attachments'),
  status_id bigint REFERENCES statuses ON DELETE SET NULL,
  file_file_name varchar, file_content_type varchar, file_file_size integer, file_updated_at timestamp,
  remote_url varchar NOT NULL DEFAULT '', created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  shortcode varchar, type integer NOT NULL DEFAULT 0, file_meta json,
  account_id bigint REFERENCES accounts ON DELETE SET NULL, description text, scheduled_status_id bigint,
  blurhash varchar, processing integer, file_storage_schema_version integer,
  thumbnail_file_name varchar, thumbnail_content_type varchar, thumbnail_file_size integer,
  thumbnail_updated_at timestamp, thumbnail_remote_url varchar
);
CREATE TABLE mentions (
  id bigserial PRIMARY KEY, status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE, silent boolean NOT NULL DEFAULT false
);
CREATE TABLE favourites (
  id bigserial PRIMARY KEY, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE
);
CREATE TABLE notifications (
  id bigserial PRIMARY KEY, activity_id bigint NOT NULL, activity_type varchar NOT NULL,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  from_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  type varchar, filtered boolean NOT NULL DEFAULT false, group_key varchar
);
CREATE TABLE status_stats (
  id bigserial PRIMARY KEY, status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
  replies_count bigint NOT NULL DEFAULT 0, reblogs_count bigint NOT NULL DEFAULT 0,
  favourites_count bigint NOT NULL DEFAULT 0, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  untrusted_favourites_count bigint, untrusted_reblogs_count bigint, quotes_count bigint NOT NULL DEFAULT 0
);
CREATE TABLE tags (
  id bigserial PRIMARY KEY, name varchar NOT NULL DEFAULT '', created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  usable boolean, trendable boolean, listable boolean, display_name varchar
);
CREATE TABLE statuses_tags (
  status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
  tag_id bigint NOT NULL REFERENCES tags ON DELETE CASCADE, PRIMARY KEY (tag_id, status_id)
);
CREATE TABLE custom_emojis (
  id bigserial PRIMARY KEY, shortcode varchar NOT NULL DEFAULT '', domain varchar,
  image_file_name varchar, image_content_type varchar, image_file_size integer, image_updated_at timestamp,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL, disabled boolean NOT NULL DEFAULT false, uri varchar,
  image_remote_url varchar, visible_in_picker boolean NOT NULL DEFAULT true, category_id bigint,
  image_storage_schema_version integer
);
CREATE TABLE preview_cards (
  id bigserial PRIMARY KEY, url varchar NOT NULL DEFAULT '', title varchar NOT NULL DEFAULT '',
  description varchar NOT NULL DEFAULT '', image_file_name varchar, image_content_type varchar,
  image_file_size integer, image_updated_at timestamp, type integer NOT NULL DEFAULT 0, html text NOT NULL DEFAULT '',
  author_name varchar NOT NULL DEFAULT '', author_url varchar NOT NULL DEFAULT '',
  provider_name varchar NOT NULL DEFAULT '', provider_url varchar NOT NULL DEFAULT '',
  width integer NOT NULL DEFAULT 0, height integer NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL, embed_url varchar NOT NULL DEFAULT '',
  image_storage_schema_version integer, blurhash varchar, language varchar, max_score double precision,
  max_score_at timestamp, trendable boolean, link_type integer, published_at timestamp,
  image_description varchar NOT NULL DEFAULT '', author_account_id bigint, unverified_author_account_id bigint
);
CREATE TABLE preview_cards_statuses (
  preview_card_id bigint NOT NULL, status_id bigint NOT NULL, url varchar, PRIMARY KEY (status_id, preview_card_id)
);
CREATE TABLE preview_card_providers (
  id bigserial PRIMARY KEY, domain varchar NOT NULL DEFAULT '', icon_file_name varchar, icon_content_type varchar,
  icon_file_size bigint, icon_updated_at timestamp, trendable boolean, reviewed_at timestamp,
  requested_review_at timestamp, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
