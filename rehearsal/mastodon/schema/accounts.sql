CREATE TABLE accounts (
  id bigint PRIMARY KEY DEFAULT timestamp_id('accounts'),
  username varchar NOT NULL DEFAULT '', domain varchar,
  private_key text, public_key text NOT NULL DEFAULT '',
  created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL,
  note text NOT NULL DEFAULT '', display_name varchar NOT NULL DEFAULT '',
  uri varchar NOT NULL DEFAULT '', url varchar,
  avatar_file_name varchar, avatar_content_type varchar, avatar_file_size integer, avatar_updated_at timestamp,
  avatar_remote_url varchar, avatar_storage_schema_version integer,
  header_file_name varchar, header_content_type varchar, header_file_size integer, header_updated_at timestamp,
  header_remote_url varchar NOT NULL DEFAULT '', header_storage_schema_version integer,
  locked boolean NOT NULL DEFAULT false, last_webfingered_at timestamp,
  inbox_url varchar NOT NULL DEFAULT '', outbox_url varchar NOT NULL DEFAULT '',
  shared_inbox_url varchar NOT NULL DEFAULT '', followers_url varchar NOT NULL DEFAULT '',
  following_url varchar NOT NULL DEFAULT '', protocol integer NOT NULL DEFAULT 0,
  memorial boolean NOT NULL DEFAULT false, moved_to_account_id bigint REFERENCES accounts ON DELETE SET NULL,
  featured_collection_url varchar, fields jsonb, actor_type varchar, discoverable boolean,
  also_known_as varchar[], silenced_at timestamp, suspended_at timestamp, suspension_origin integer,
  hide_collections boolean, sensitized_at timestamp, trendable boolean, reviewed_at timestamp,
  requested_review_at timestamp, indexable boolean NOT NULL DEFAULT false,
  attribution_domains varchar[] DEFAULT '{}', id_scheme integer DEFAULT 1
);
CREATE TABLE users (
  id bigserial PRIMARY KEY, email varchar NOT NULL DEFAULT '',
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  encrypted_password varchar NOT NULL DEFAULT '', reset_password_token varchar, reset_password_sent_at timestamp,
  sign_in_count integer NOT NULL DEFAULT 0, current_sign_in_at timestamp, last_sign_in_at timestamp,
  confirmation_token varchar, confirmed_at timestamp, confirmation_sent_at timestamp, unconfirmed_email varchar,
  locale varchar, consumed_timestep integer, otp_required_for_login boolean NOT NULL DEFAULT false,
  otp_secret varchar, otp_backup_codes varchar[], last_emailed_at timestamp,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  disabled boolean NOT NULL DEFAULT false, invite_id bigint, chosen_languages varchar[],
  created_by_application_id bigint, approved boolean NOT NULL DEFAULT true, sign_in_token varchar,
  sign_in_token_sent_at timestamp, webauthn_id varchar, sign_up_ip inet, skip_sign_in_token boolean,
  role_id bigint, settings text, time_zone varchar, age_verified_at timestamp,
  require_tos_interstitial boolean NOT NULL DEFAULT false
);
CREATE TABLE user_roles (
  id bigserial PRIMARY KEY, name varchar NOT NULL DEFAULT '', color varchar NOT NULL DEFAULT '',
  position integer NOT NULL DEFAULT 0, permissions bigint NOT NULL DEFAULT 0,
  highlighted boolean NOT NULL DEFAULT false, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE TABLE account_stats (
  id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  statuses_count bigint NOT NULL DEFAULT 0, following_count bigint NOT NULL DEFAULT 0,
  followers_count bigint NOT NULL DEFAULT 0, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  last_status_at timestamp
);
CREATE TABLE follows (
  id bigserial PRIMARY KEY, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  target_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  show_reblogs boolean NOT NULL DEFAULT true, uri varchar, notify boolean NOT NULL DEFAULT false, languages varchar[]
);
CREATE TABLE follow_requests (LIKE follows INCLUDING DEFAULTS);
CREATE SEQUENCE follow_requests_id_seq OWNED BY follow_requests.id;
ALTER TABLE follow_requests ALTER id SET DEFAULT nextval('follow_requests_id_seq'), ADD PRIMARY KEY (id),
  ADD FOREIGN KEY (account_id) REFERENCES accounts ON DELETE CASCADE,
  ADD FOREIGN KEY (target_account_id) REFERENCES accounts ON DELETE CASCADE;
CREATE TABLE blocks (
  id bigserial PRIMARY KEY, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  target_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE, uri varchar
);
CREATE TABLE account_domain_blocks (
  id bigserial PRIMARY KEY, domain varchar, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  account_id bigint REFERENCES accounts ON DELETE CASCADE
);
CREATE TABLE oauth_applications (
  id bigserial PRIMARY KEY, name varchar NOT NULL, uid varchar NOT NULL, secret varchar NOT NULL,
  redirect_uri text NOT NULL, scopes varchar NOT NULL DEFAULT '', created_at timestamp, updated_at timestamp,
  superapp boolean NOT NULL DEFAULT false, website varchar, owner_type varchar, owner_id bigint,
  confidential boolean NOT NULL DEFAULT true
);
CREATE TABLE oauth_access_tokens (
  id bigserial PRIMARY KEY, token varchar NOT NULL, refresh_token varchar, expires_in integer, revoked_at timestamp,
  created_at timestamp NOT NULL, scopes varchar, application_id bigint REFERENCES oauth_applications ON DELETE CASCADE,
  resource_owner_id bigint REFERENCES users ON DELETE CASCADE, last_used_at timestamp, last_used_ip inet
);
CREATE TABLE session_activations (
  id bigserial PRIMARY KEY, session_id varchar NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  user_agent varchar NOT NULL DEFAULT '', ip inet, access_token_id bigint REFERENCES oauth_access_tokens ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, web_push_subscription_id bigint
);
CREATE TABLE web_push_subscriptions (
  id bigserial PRIMARY KEY, endpoint varchar NOT NULL, key_p256dh varchar NOT NULL, key_auth varchar NOT NULL, data json,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL, standard boolean NOT NULL DEFAULT false,
  access_token_id bigint NOT NULL REFERENCES oauth_access_tokens ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE
);
