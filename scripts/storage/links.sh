# storage/links (app): links from before, /system/…, lead to the media host for ever: in nginx on the instance, in a file of their
# own that the site includes by one marked line, so that renewals of certificates and upgrades of Mastodon leave it alone.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/lib/web.sh"
. "$scripts/storage/old-links.sh"

present() {
  need_tools
  local site
  site="$(site_file)"
  # What was redirected for good by a verification stays so.
  [[ -f $links ]] || write_links disk
  cp -a "$site" "$run/links.before"
  edit_site "$site" add ||
    die "a TLS server for $WEB_DOMAIN in $site" "none that could be read" "see whether the site is spread over several files there"
  # Also after a run that was cut off before nginx had read it.
  if [[ $file_changed == yes ]] || ! redirects >/dev/null; then load_nginx cp -a "$run/links.before" "$site"; fi
  wait_until 20 "an old link to be redirected to the media host" redirects
  result site "$site"
}

# The admin may have changed the site meanwhile: the line goes, the rest stays.
absent() {
  local site
  site="$(site_file)"
  # The file that is included goes last: while it is there, nginx may not have read the site without it.
  if [[ -e $links ]] || grep -qs "$links" "$site"; then
    edit_site "$site" remove
    load_nginx
  fi
  drop_file "$links"
  rmdir /etc/nginx/trunkline 2>/dev/null || true
}

# edit_site SITE add|remove: what was added is taken out again to the byte.
edit_site() {
  python3 "$scripts/storage/include.py" "$2" "$1" "$WEB_DOMAIN" "$links" >"$run/links.site" || return 1
  put_file "$1" "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")" <"$run/links.site"
  rm -f "$run/links.site"
}

redirects() {
  local said
  said="$(ask_site "$(site_address)" /system/trunkline/a%20b.png --output /dev/null --write-out '%{http_code} %{redirect_url}')"
  echo "/system/trunkline/a%20b.png answered: $said"
  [[ $said =~ ^30[12]\ https://$MEDIA_HOST/trunkline/a%20b.png\ *$ ]]
}
