# web/proxy (source): the domain's site hands everything on to the target, for those whose DNS still points here; and a small
# server on loopback gives the target the files that it has not got yet.
# shellcheck shell=bash
. "$scripts/lib/app.sh"
. "$scripts/lib/web.sh"

mark='Made by Trunkline: the source as proxy'

present() {
  local site
  site="$(readlink -f "$NGINX_SITE")"
  [[ -f $site ]] || die "the site's file $NGINX_SITE on the source" "no such file" "see what was renamed there since the survey"
  wait_until 30 "the target $TARGET_ADDRESS to answer for $WEB_DOMAIN with a good certificate" target_answers "$TARGET_ADDRESS"
  write_trust
  save_original "$site"
  proxy_text "$state/saved/files$site" >"$run/site.new"
  put_file "$site" "$(stat -c %a "$site")" "$(stat -c %U:%G "$site")" <"$run/site.new"
  rm -f "$run/site.new"
  [[ $file_changed == no ]] || load_nginx restore_original "$site"
  wait_until 30 "a request to the source to come out at the target" target_answers 127.0.0.1
  wait_until 15 "the source's files to be served to the target on port $PORT_SOURCE_MEDIA" media_answers
  result site "$site"
}

absent() {
  local site
  site="$(readlink -f "$NGINX_SITE")"
  is_saved "$site" || return 0
  restore_original "$site"
  load_nginx
  drop_file "$etc/target-trust.pem"
  local web
  mapfile -t web < <(unit_names "$WEB_UNITS")
  wait_until 30 "the source's own site to answer again" own_site_answers
}

target_answers() {
  local said
  said="$(ask_site "$1" /.trunkline)"
  echo "/.trunkline at $1 answered: $said"
  [[ $said == "target 200"* ]]
}

# Proxy or not is told by the same path: only the target knows it. At the end of a move there is no app behind the site any more.
own_site_answers() {
  local said
  said="$(ask_site 127.0.0.1 /.trunkline)"
  echo "/.trunkline answered: $said"
  if [[ $said == target* || $said =~ 000\ *$ ]]; then return 1; fi
  ! any_active "${web[@]}" || [[ ! $said =~ (502|503|504)\ *$ ]]
}

media_answers() {
  local status
  status="$(curl --silent --noproxy '*' --max-time 5 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT_SOURCE_MEDIA/system/")" || true
  echo "http://127.0.0.1:$PORT_SOURCE_MEDIA/system/ answered $status"
  [[ $status == 403 || $status == 404 ]] # a folder: its list is not for anyone
}

# The target serves the source's own certificate: what the system trusts, and this chain.
write_trust() {
  cat /etc/ssl/certs/ca-certificates.crt "$TLS_CERT" | put_file "$etc/target-trust.pem" 0644 root:root
}

proxy_text() { # ORIGINAL
  PROXY_MARK=$mark PROXY_DOMAIN=$WEB_DOMAIN PROXY_TARGET=$TARGET_ADDRESS PROXY_TRUST=$etc/target-trust.pem PROXY_APP=$APP_DIR \
    PROXY_MEDIA=$MEDIA_DIR PROXY_MEDIA_PORT=$PORT_SOURCE_MEDIA python3 "$scripts/web/proxy.py" "$1" ||
    die "a TLS server for $WEB_DOMAIN in $NGINX_SITE" "none that could be read" "see whether the site is spread over several files there; it has to have a server block with its own names and certificates"
}
