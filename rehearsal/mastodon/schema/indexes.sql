-- Text indexes are the point: those without *_pattern_ops depend on the collation, those with it compare bytes.
CREATE UNIQUE INDEX index_accounts_on_username_and_domain_lower
  ON accounts (lower(username), coalesce(lower(domain), ''));
CREATE INDEX index_accounts_on_domain_and_id ON accounts (domain, id);
CREATE INDEX index_accounts_on_uri ON accounts (uri);
CREATE INDEX index_accounts_on_url ON accounts (url text_pattern_ops) WHERE url IS NOT NULL;
CREATE INDEX search_index ON accounts USING gin ((
  setweight(to_tsvector('simple', display_name), 'A') || setweight(to_tsvector('simple', username), 'B')
  || setweight(to_tsvector('simple', coalesce(domain, '')), 'C')));
CREATE UNIQUE INDEX index_users_on_email ON users (email);
CREATE UNIQUE INDEX index_users_on_confirmation_token ON users (confirmation_token);
CREATE UNIQUE INDEX index_users_on_reset_password_token
  ON users (reset_password_token text_pattern_ops) WHERE reset_password_token IS NOT NULL;
CREATE INDEX index_users_on_account_id ON users (account_id);
CREATE UNIQUE INDEX index_account_stats_on_account_id ON account_stats (account_id);
CREATE UNIQUE INDEX index_follows_on_account_id_and_target_account_id ON follows (account_id, target_account_id);
CREATE INDEX index_follows_on_target_account_id_and_account_id ON follows (target_account_id, account_id);
CREATE UNIQUE INDEX index_follow_requests_on_account_id_and_target_account_id
  ON follow_requests (account_id, target_account_id);
CREATE UNIQUE INDEX index_blocks_on_account_id_and_target_account_id ON blocks (account_id, target_account_id);
CREATE UNIQUE INDEX index_account_domain_blocks_on_account_id_and_domain ON account_domain_blocks (account_id, domain);
CREATE UNIQUE INDEX index_oauth_applications_on_uid ON oauth_applications (uid);
CREATE UNIQUE INDEX index_oauth_access_tokens_on_token ON oauth_access_tokens (token);
CREATE UNIQUE INDEX index_oauth_access_tokens_on_refresh_token
  ON oauth_access_tokens (refresh_token text_pattern_ops) WHERE refresh_token IS NOT NULL;
CREATE UNIQUE INDEX index_session_activations_on_session_id ON session_activations (session_id);

CREATE UNIQUE INDEX index_conversations_on_uri ON conversations (uri text_pattern_ops) WHERE uri IS NOT NULL;
CREATE UNIQUE INDEX index_statuses_on_uri ON statuses (uri text_pattern_ops) WHERE uri IS NOT NULL;
CREATE INDEX index_statuses_20190820 ON statuses (account_id, id DESC, visibility, updated_at) WHERE deleted_at IS NULL;
CREATE INDEX index_statuses_public_20250129 ON statuses (id DESC, language, account_id)
  WHERE deleted_at IS NULL AND visibility = 0 AND reblog_of_id IS NULL
    AND (NOT reply OR in_reply_to_account_id = account_id);
CREATE INDEX index_statuses_local_20190824 ON statuses (id DESC, account_id)
  WHERE (local OR uri IS NULL) AND deleted_at IS NULL AND visibility = 0 AND reblog_of_id IS NULL
    AND (NOT reply OR in_reply_to_account_id = account_id);
CREATE INDEX index_statuses_on_in_reply_to_id ON statuses (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX index_statuses_on_reblog_of_id_and_account_id ON statuses (reblog_of_id, account_id);
CREATE INDEX index_statuses_on_conversation_id ON statuses (conversation_id);
CREATE INDEX index_media_attachments_on_status_id ON media_attachments (status_id);
CREATE INDEX index_media_attachments_on_account_id_and_status_id ON media_attachments (account_id, status_id DESC);
CREATE UNIQUE INDEX index_media_attachments_on_shortcode
  ON media_attachments (shortcode text_pattern_ops) WHERE shortcode IS NOT NULL;
CREATE UNIQUE INDEX index_mentions_on_account_id_and_status_id ON mentions (account_id, status_id);
CREATE INDEX index_mentions_on_status_id ON mentions (status_id);
CREATE UNIQUE INDEX index_favourites_on_account_id_and_status_id ON favourites (account_id, status_id);
CREATE INDEX index_favourites_on_status_id ON favourites (status_id);
CREATE INDEX index_notifications_on_account_id_and_id_and_type ON notifications (account_id, id DESC, type);
CREATE INDEX index_notifications_on_activity_id_and_activity_type ON notifications (activity_id, activity_type);
CREATE UNIQUE INDEX index_status_stats_on_status_id ON status_stats (status_id);
CREATE UNIQUE INDEX index_tags_on_name_lower_btree ON tags (lower(name) text_pattern_ops);
CREATE INDEX index_statuses_tags_on_status_id ON statuses_tags (status_id);
CREATE UNIQUE INDEX index_custom_emojis_on_shortcode_and_domain ON custom_emojis (shortcode, domain);
CREATE UNIQUE INDEX index_preview_cards_on_url ON preview_cards (url);
CREATE UNIQUE INDEX index_preview_card_providers_on_domain ON preview_card_providers (domain);

CREATE UNIQUE INDEX index_site_uploads_on_var ON site_uploads (var);
CREATE UNIQUE INDEX index_settings_on_var ON settings (var);
CREATE INDEX index_tombstones_on_uri ON tombstones (uri);
CREATE UNIQUE INDEX index_unavailable_domains_on_domain ON unavailable_domains (domain);
CREATE UNIQUE INDEX index_domain_blocks_on_domain ON domain_blocks (domain);
CREATE UNIQUE INDEX index_instances_on_domain ON instances (domain);
CREATE INDEX index_instances_on_reverse_domain ON instances (reverse('.' || domain), domain);
CREATE UNIQUE INDEX index_account_summaries_on_account_id ON account_summaries (account_id);
CREATE UNIQUE INDEX index_global_follow_recommendations_on_account_id ON global_follow_recommendations (account_id);
