# web/proxy (source): nginx sends everything on to the target. Whoever still has the old address in their DNS notices
# nothing. It also serves the media on loopback, for files that the target does not have yet.
# shellcheck shell=bash
. "$scripts/web/names.sh"

backend=$state/proxy.backend

present() {
  local before=$changed original
  save_original "$NGINX_SITE"
  original="$state/saved/files$NGINX_SITE"
  # A saved link points to the file that it always pointed to.
  [[ -L $original ]] && original="$(realpath -m "$(dirname "$NGINX_SITE")/$(readlink "$original")")"
  target_answers || die "nginx on the target $TARGET_ADDRESS to answer for $WEB_DOMAIN" "no answer on port 443" \
    "check the target's firewall and nginx, then run \`pulumi up\` again"
  proxy_text "$original" | put_file "$NGINX_SITE" 0644 root:root
  [[ $changed == "$before" ]] || reload_nginx
  wait_until 20 "requests to this host to be answered by the target" proves_target
  result target "$TARGET_ADDRESS"
}

absent() {
  is_saved "$NGINX_SITE" || return 0
  restore_original "$NGINX_SITE"
  drop_file "$backend"
  reload_nginx
  wait_until 20 "requests to this host to be answered by this host again" proves_own
}

told_target() {
  curl --silent --max-time 10 --insecure --resolve "$WEB_DOMAIN:443:$1" "https://$WEB_DOMAIN/.well-known/trunkline-target"
}
target_answers() { [[ $(told_target "$TARGET_ADDRESS") == "$TARGET_ADDRESS" ]]; }
proves_target() { [[ $(told_target 127.0.0.1) == "$TARGET_ADDRESS" ]]; }
proves_own() { [[ $(told_target 127.0.0.1) != "$TARGET_ADDRESS" && $(answer /health) == 200 ]]; }

# The certificate of the target is the source's own, so whoever signed that one is who is trusted here.
trusted() {
  local system=/etc/ssl/certs/ca-certificates.crt
  if openssl verify -CAfile "$system" -untrusted "$TLS_CERT" "$TLS_CERT" >/dev/null 2>&1; then
    echo "$system"
  else
    echo "$TLS_CERT"
  fi
}

proxy_text() {
  local names
  names="$(server_names "$1")"
  cat <<END
# Made by Trunkline: this server sends everything on to $TARGET_ADDRESS. The site as it was is saved in
# $state/saved/files$NGINX_SITE and comes back when the migration goes back.
map \$http_upgrade \$trunkline_connection { default upgrade; '' ''; }
upstream trunkline_target { server $TARGET_ADDRESS:443; keepalive 32; }
server {
$(listen_lines 80)
  server_name $names;
  location ^~ /.well-known/acme-challenge/ { root $APP_DIR/public; default_type text/plain; }
  location / { return 301 https://\$host\$request_uri; }
}
server {
$(listen_lines 443 'ssl http2')
  server_name $names;
  ssl_certificate $TLS_CERT;
  ssl_certificate_key $TLS_KEY;
  ssl_protocols TLSv1.2 TLSv1.3;
  keepalive_timeout 70;
  client_max_body_size $(body_size "$1");

  location / {
    proxy_pass https://trunkline_target;
    proxy_ssl_server_name on;
    proxy_ssl_name $WEB_DOMAIN;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 5;
    proxy_ssl_trusted_certificate $(trusted);
    proxy_http_version 1.1;
    proxy_set_header Host \$host;
    proxy_set_header X-Real-IP \$remote_addr;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Upgrade \$http_upgrade;
    proxy_set_header Connection \$trunkline_connection;
    # A write that may have been carried out is not sent again by a proxy: that is its sender's business.
    proxy_next_upstream error timeout;
    proxy_read_timeout 3600s;
    proxy_send_timeout 3600s;
    # Uploads stream through, and so does the live feed.
    proxy_buffering off;
    proxy_max_temp_file_size 0;
  }
}
# What the target has not copied yet; reached through the tunnel alone.
server {
  listen 127.0.0.1:$PORT_SOURCE_MEDIA;
  server_name media.trunkline.invalid;
  access_log off;
  location /system/ { alias "$MEDIA_DIR/"; }
  location / { return 404; }
}
END
}
