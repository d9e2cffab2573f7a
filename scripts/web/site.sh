# web/site (target): nginx serves the web domain with the source's certificate, before DNS points there. Without an app
# behind it, it answers 5xx, so that other servers try again and drop nothing.
# shellcheck shell=bash
. "$scripts/web/names.sh"

site=/etc/nginx/sites-available/mastodon
enabled=/etc/nginx/sites-enabled/mastodon
welcome=/etc/nginx/sites-enabled/default
tls=$etc/tls/$WEB_DOMAIN

present() {
  local before=$changed
  [[ -s $tls/fullchain.pem && -f $state/site.source ]] ||
    die "the source's certificate in $tls" "nothing" "run \`pulumi up\` again: web/certificates comes before this step"
  save_original "$site"
  save_original "$enabled"
  save_original "$welcome"
  site_text | put_file "$site" 0644 root:root
  [[ $(readlink "$enabled") == "$site" ]] || { ln -sfn "$site" "$enabled"; changed=yes; }
  drop_file "$welcome"
  # nginx reads files of the app as www-data: the way there has to be open for it.
  [[ $(stat -c %A "$APP_HOME") == *x ]] || { chmod o+x "$APP_HOME"; changed=yes; }
  if [[ $changed != "$before" ]] || ! systemctl is-active -q nginx; then reload_nginx; fi
  wait_until 15 "nginx on this host to show the certificate of $WEB_DOMAIN" shows_certificate
  local code
  code="$(answer /inbox --request POST)" || true
  [[ $code =~ ^(5..|401|202)$ ]] ||
    die "POST /inbox to be answered 5xx (no app yet) or 401 (app), which other servers retry" "$code" "look at $site"
  result inbox "$code"
}

absent() {
  is_saved "$site" || return 0
  restore_original "$site"
  restore_original "$enabled"
  restore_original "$welcome"
  reload_nginx
}

shows_certificate() {
  [[ $(served_fingerprint) == "$(openssl x509 -noout -fingerprint -sha256 -in "$tls/fullchain.pem")" ]]
}

# PORT of the web unit, as its environment says; Mastodon's own 3000 otherwise.
web_port() {
  local unit port=''
  for unit in $WEB_UNITS; do
    port="$(systemctl show --property Environment --value -- "$unit" 2>/dev/null | tr ' ' '\n' | sed -n 's/^PORT=//p' | tail -n 1)"
    [[ -n $port ]] && break
  done
  echo "${port:-3000}"
}

# A templated streaming unit carries its port in its name.
streaming_servers() {
  local unit found=no
  for unit in $STREAMING_UNITS; do
    [[ $unit =~ @([0-9]+)(\.service)?$ ]] || continue
    echo "  server 127.0.0.1:${BASH_REMATCH[1]} fail_timeout=0;"
    found=yes
  done
  [[ $found == yes ]] || echo "  server 127.0.0.1:4000 fail_timeout=0;"
}

# The shape of Mastodon's own site; new are: the addresses of clients behind the old server, and files not copied yet.
site_text() {
  local names
  names="$(server_names "$state/site.source")"
  cat <<END
# Made by Trunkline. Going back to \`survey\` takes it away again.
map \$http_upgrade \$trunkline_connection { default upgrade; '' ''; }
upstream trunkline_web { server 127.0.0.1:$(web_port) fail_timeout=0; keepalive 16; }
upstream trunkline_streaming {
  least_conn;
$(streaming_servers)
}
server {
$(listen_lines 80)
  server_name $names;
  location ^~ /.well-known/acme-challenge/ { root $APP_DIR/public; default_type text/plain; }
  location / { return 301 https://\$host\$request_uri; }
}
server {
$(listen_lines 443 'ssl http2')
  server_name $names;
  ssl_certificate $tls/fullchain.pem;
  ssl_certificate_key $tls/privkey.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:TRUNKLINE:10m;
  ssl_session_tickets off;
  keepalive_timeout 70;
  client_max_body_size $(body_size "$state/site.source");
  root "$APP_DIR/public";

  # While the old server proxies, clients are told apart by what it says; without this they would share one rate limit.
  set_real_ip_from $SOURCE_ADDRESS;
  real_ip_header X-Forwarded-For;
  real_ip_recursive on;

  gzip on;
  gzip_proxied any;
  gzip_vary on;
  gzip_types text/plain text/css application/json application/javascript application/activity+json image/svg+xml;

  error_page 500 501 502 503 504 /500.html;
  recursive_error_pages on;

  # How the old server proves that it proxies here, and not to somewhere else.
  location = /.well-known/trunkline-target {
    if (\$realip_remote_addr !~ "^($SOURCE_ADDRESS|127\.0\.0\.1)\$") { return 404; }
    default_type text/plain;
    return 200 "$TARGET_ADDRESS\n";
  }

  location ~ ^/(assets|avatars|emoji|headers|packs|sounds)/ {
    add_header Cache-Control "public, max-age=2419200, must-revalidate";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    try_files \$uri =404;
  }

  location ^~ /system/ {
    alias "$MEDIA_DIR/";
    add_header Cache-Control "public, max-age=2419200, immutable";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
    error_page 403 404 = @source_media;
  }
  # Not copied yet: from the old server's disk. If that can't be asked, nobody may remember a 404.
  location @source_media {
    if (-e /etc/nginx/trunkline-media-finished) { return 404; }
    proxy_pass http://127.0.0.1:$PORT_MEDIA;
    proxy_set_header Host media.trunkline.invalid;
    proxy_connect_timeout 5s;
    add_header Cache-Control "public, max-age=2419200, immutable";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
    error_page 502 504 =503 @unavailable;
  }
  location @unavailable { add_header Cache-Control no-store always; return 503; }

  location ^~ /api/v1/streaming {
    proxy_pass http://trunkline_streaming;
$(proxy_headers)
    proxy_buffering off;
    proxy_read_timeout 3600s;
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
  }

  location / { try_files \$uri @app; }
  location @app {
    proxy_pass http://trunkline_web;
$(proxy_headers)
    proxy_set_header Proxy "";
    proxy_pass_header Server;
    proxy_read_timeout 120s;
  }
}
END
}

proxy_headers() {
  cat <<'END'
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $trunkline_connection;
END
}
