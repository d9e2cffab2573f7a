# web/proxy (source): the instance's sites hand everything on to the target, for those whose DNS still points here; and a small
# server on loopback gives the target the files that it has not got yet.
# shellcheck shell=bash
. "$scripts/lib/app.sh"
. "$scripts/lib/web.sh"

mark='Made by Trunkline: the source as proxy'

kept=$state/proxy.files # files that were turned into proxies

present() {
  local file head=yes reload=no
  mapfile -t files < <(site_files)
  ((${#files[@]})) || die "a TLS server for $WEB_DOMAIN in nginx's files on the source" "none" "see what was renamed there since the survey"
  wait_until 30 "the target $TARGET_ADDRESS to answer for $WEB_DOMAIN with a good certificate" target_answers "$TARGET_ADDRESS"
  write_trust
  printf '%s\n' "${files[@]}" | put_file "$kept" 0600 root:root
  for file in "${files[@]}"; do
    save_original "$file"
    proxy_text "$file" >"$run/site.new"
    put_file "$file" "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")" <"$run/site.new"
    [[ $file_changed == no ]] || reload=yes
    head=no
  done
  rm -f "$run/site.new"
  [[ $reload == no ]] || load_nginx restore_all
  wait_until 30 "a request to the source to come out at the target" target_answers 127.0.0.1
  wait_until 15 "the source's files to be served to the target on port $PORT_SOURCE_MEDIA" media_answers
  result files "${files[*]}"
}

absent() {
  mapfile -t files < <(if [[ -s $kept ]]; then cat "$kept"; else readlink -f "$NGINX_SITE"; fi)
  is_saved "${files[0]}" || return 0
  restore_all
  load_nginx
  drop_file "$etc/target-trust.pem" "$kept"
  local web
  mapfile -t web < <(unit_names "$WEB_UNITS")
  wait_until 30 "the source's own site to answer again" own_site_answers
}

# The files in which the instance's own TLS servers stand, as they were before us; the web domain's first.
site_files() { site_script --files; }

restore_all() {
  local file
  for file in "${files[@]}"; do restore_original "$file"; done
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

proxy_text() { # FILE
  site_script "$1" ||
    die "a TLS server of the instance in $1" "none that could be read" "it has to have a server block with its own names and certificates"
}

site_script() {
  PROXY_MARK=$mark PROXY_DOMAIN=$WEB_DOMAIN PROXY_NAMES="${WEB_NAMES:-$WEB_DOMAIN}" PROXY_TARGET=$TARGET_ADDRESS PROXY_TRUST=$etc/target-trust.pem \
    PROXY_APP=$APP_DIR PROXY_MEDIA=$MEDIA_DIR PROXY_MEDIA_PORT=$PORT_SOURCE_MEDIA PROXY_SAVED=$state/saved/files PROXY_HEAD=${head:-yes} \
    python3 "$scripts/web/proxy.py" "$1"
}
