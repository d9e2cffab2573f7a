# web/site (target): the domain's site, as Mastodon's own, served before DNS points here. A file that has not been copied yet comes from the source.
# shellcheck shell=bash
# Extra settings: SEEN_SITE, which only makes the step run again
. "$scripts/lib/app.sh"
. "$scripts/lib/web.sh"

site=/etc/nginx/sites-available/trunkline
link=/etc/nginx/sites-enabled/trunkline
fallback=/etc/nginx/trunkline/media-source.conf # what /system/ does with a file that is not here

present() {
  local touched=no
  install -d -m 0755 /etc/nginx/trunkline /var/cache/nginx
  # media/finish exchanges it once every file is here.
  if [[ ! -e $fallback ]]; then put_file "$fallback" 0644 root:root <"$scripts/web/media-source.conf"; touched=yes; fi
  # A site that its admin's certbot has taken over is no longer ours to write.
  if ! grep -qs 'managed by Certbot' "$site"; then
    site_text >"$run/site.new"
    # Links from before media were in a bucket stay led there (storage/links).
    if [[ -f /etc/nginx/trunkline/old-links.conf ]]; then
      python3 "$scripts/storage/include.py" add "$run/site.new" "$WEB_DOMAIN" /etc/nginx/trunkline/old-links.conf >"$run/site.part"
      mv "$run/site.part" "$run/site.new"
    fi
    put_file "$site" 0644 root:root <"$run/site.new"
    [[ $file_changed == no ]] || touched=yes
  fi
  if [[ "$(readlink "$link")" != "$site" ]]; then
    ln -sfn "$site" "$link"
    changed=yes touched=yes
  fi
  # The home has to be passable for nginx, as Mastodon's own guide says.
  chmod o+x "$APP_HOME"
  # Also after a run that was cut off before nginx had read what it wrote.
  if [[ $touched == yes ]] || ! systemctl is-active --quiet nginx || ! site_answers >/dev/null; then load_nginx rm -f "$link"; fi
  wait_until 20 "the site on this host to answer over TLS" site_answers
  result version "$(nginx -v 2>&1 | sed 's/.*nginx\///')"
}

absent() {
  drop_file "$link" "$site" "$fallback"
  rmdir /etc/nginx/trunkline 2>/dev/null || true
  if systemctl is-active --quiet nginx; then load_nginx; fi
}

# Without an app it is 503, which remote servers retry; a 4xx would lose what they deliver. 403 is the word of `allow` and `deny` of
# the source's own site, which know nothing of this host.
site_answers() {
  local said
  said="$(ask_site 127.0.0.1 /inbox --request POST --data '{}')"
  echo "POST /inbox answered: $said"
  [[ $said =~ (200|202|401|503)\ *$ ]] || { [[ $said =~ 403\ *$ ]] && has_rules; }
}

site_text() {
  local streaming
  streaming="$(streaming_addresses | sed 's/.*/  server & fail_timeout=0;/')"
  SITE_WEB="$(web_address)" SITE_STREAMING="$streaming" SITE_DOMAIN=$WEB_DOMAIN SITE_TLS=$tls_folder SITE_APP=$APP_DIR \
    SITE_MEDIA=$MEDIA_DIR SITE_ALIAS="$(env_get "$APP_DIR/.env.production" S3_ALIAS_HOST)" SITE_SOURCES="$(getent ahosts "$SOURCE_ADDRESS" | awk '{ print $1 }' | sort -u | xargs)" \
    SITE_MEDIA_PORT=$PORT_MEDIA SITE_IPV6="$(has_ipv6 && echo yes || echo no)" \
    SITE_HTTP2="$(dpkg --compare-versions "$(nginx -v 2>&1 | sed 's/.*nginx\///; s/ .*//')" ge 1.25.1 && echo on || echo listen)" \
    python3 "$scripts/web/site.py" "$source_site"
}
