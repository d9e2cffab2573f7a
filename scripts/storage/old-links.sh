# Where old links lead, as a file that the site includes.
# shellcheck shell=bash

links=/etc/nginx/trunkline/old-links.conf

# On the target the site is Trunkline's own.
site_file() {
  local site=$NGINX_SITE
  [[ $SIDE == target ]] && site=/etc/nginx/sites-available/trunkline
  site="$(readlink -f "$site")"
  [[ -f $site ]] || die "the site's file $NGINX_SITE" "no such file" "see what was renamed there since the survey"
  echo "$site"
}

# write_links disk|302|301: from the disk where the file is, else to the media host; or to the media host whatever is on the disk,
# for now (302: browsers ask again) or for good (301).
write_links() {
  local code=302
  [[ $1 == 301 ]] && code=301
  {
    echo "# Made by Trunkline: links to media from before they were in the bucket ($1)."
    echo 'location ^~ /system/ {'
    if [[ $1 == disk && -n ${MEDIA_DIR:-} ]]; then
      media_from_disk '403 404' @trunkline_media
    else
      # Archives have no place at the media host: they are for one person each, by a link that the app signs.
      if [[ -n ${MEDIA_DIR:-} ]]; then printf '  location ^~ /system/backups/ { alias "%s/backups/"; }\n' "$MEDIA_DIR"; fi
      echo "  if (\$request_uri ~ ^/system/(.*)\$) { return $code https://$MEDIA_HOST/\$1; }"
    fi
    echo '}'
    echo 'location @trunkline_media {'
    echo "  if (\$request_uri ~ ^/system/(.*)\$) { return $code https://$MEDIA_HOST/\$1; }"
    echo '}'
  } | put_file "$links" 0644 root:root
}
