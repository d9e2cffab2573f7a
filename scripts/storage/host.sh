# storage/host (app): the media host on this instance's own nginx: a caching proxy in front of the bucket, with its certificate.
# As long as the app writes to the disk, a file that the bucket has not got yet is answered from there.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/lib/web.sh"

site=/etc/nginx/sites-available/trunkline-media
link=/etc/nginx/sites-enabled/trunkline-media
miss=/etc/nginx/trunkline/media-miss.conf # what an object that is not there is answered with
own_pair=/etc/letsencrypt/live/$MEDIA_HOST

present() {
  need_tools
  if [[ $MEDIA_CDN != nginx ]]; then result host "$MEDIA_HOST" by "$MEDIA_CDN"; return; fi
  local pair
  pair="$(certificate)"
  install -d -m 0755 /etc/nginx/trunkline /var/cache/nginx
  if [[ ! -e $miss ]] || ! uses_bucket; then write_miss "$([[ -n ${MEDIA_DIR:-} ]] && ! uses_bucket && echo disk || echo none)"; fi
  site_of "$pair" >"$run/media.site"
  put_file "$site" 0644 root:root <"$run/media.site"
  rm -f "$run/media.site"
  if [[ "$(readlink "$link")" != "$site" ]]; then ln -sfn "$site" "$link"; changed=yes; fi
  load_nginx rm -f "$link"
  wait_until 30 "the media host to answer over TLS on this host" answers_here
  result host "$MEDIA_HOST" by nginx certificate "${pair%% *}"
}

absent() {
  drop_file "$link" "$site" "$miss"
  rmdir /etc/nginx/trunkline 2>/dev/null || true
  # The cache goes last: while it is there, nginx may still have the site.
  if [[ $changed == yes || -d /var/cache/nginx/trunkline-media ]] && systemctl is-active --quiet nginx; then load_nginx; fi
  # What is being answered still may be put into the cache.
  wait_until 60 "nginx to let go of the media host's cache" rm -rf --one-file-system /var/cache/nginx/trunkline-media
}

# The pair to serve with: the site's own where it covers the name, else one that certbot makes.
certificate() {
  local pair
  for pair in "$TLS_CERT $TLS_KEY" "$tls_folder/fullchain.pem $tls_folder/privkey.pem" "$own_pair/fullchain.pem $own_pair/privkey.pem"; do
    covers "${pair%% *}" && [[ -f ${pair#* } ]] && { echo "$pair"; return; }
  done
  command -v certbot >/dev/null || die "a certificate for $MEDIA_HOST" "none: the site's own ($TLS_CERT) does not cover it, and certbot is not installed here" \
    "get one that does (certbot --expand, or a wildcard), or point mediaCdn to a CDN that brings its own"
  ask_certbot
  echo "$own_pair/fullchain.pem $own_pair/privkey.pem"
}

covers() { # CERTIFICATE: for the media host, and for a day at least
  [[ -f $1 && "$(openssl x509 -in "$1" -noout -checkhost "$MEDIA_HOST")" == *"does match"* ]] && openssl x509 -in "$1" -noout -checkend 86400 >/dev/null
}

# The challenge is answered by a server of our own on port 80, before the name has any other.
ask_certbot() {
  local root=/var/lib/letsencrypt/trunkline-media plain said
  plain="$(listens 80)" || exit
  install -d -m 0755 "$root"
  put_file "$site" 0644 root:root <<-END
	# Made by Trunkline: only for the first certificate.
	server {
	$plain
	  server_name $MEDIA_HOST;
	  location /.well-known/acme-challenge/ { root $root; }
	}
	END
  ln -sfn "$site" "$link"
  load_nginx rm -f "$link"
  said="$(certbot certonly --webroot -w "$root" -d "$MEDIA_HOST" --non-interactive --keep-until-expiring --deploy-hook 'systemctl reload nginx' 2>&1)" ||
    die "certbot to get a certificate for $MEDIA_HOST" "$(tail -n 5 <<<"$said" | tr '\n' ' ')" "check that the name points to this server and that port 80 is open, then run \`pulumi up\` again"
}

# write_miss disk|none
write_miss() {
  if [[ $1 == disk ]]; then
    put_file "$miss" 0644 root:root <<<'error_page 403 404 = @disk;'
  else
    put_file "$miss" 0644 root:root <<<'# Every file is in the bucket.'
  fi
}

site_of() { # CERTIFICATE KEY
  local plain tls
  plain="$(listens 80)"
  tls="$(listens 443 ssl)"
  HOST_NAME=$MEDIA_HOST HOST_PUBLIC=$PUBLIC_URL HOST_MEDIA=${MEDIA_DIR:-/nonexistent} HOST_CERT=${1%% *} HOST_KEY=${1#* } HOST_MISS=$miss \
    HOST_LISTEN_80=$plain HOST_LISTEN_443=$tls HOST_RESOLVERS="$(awk '/^nameserver/ { print $2 }' /etc/resolv.conf | xargs)" \
    python3 "$scripts/storage/site.py"
}

# listens PORT [ssl]: the media host's name leads to the instance's, so it is asked where that is.
listens() {
  python3 "$scripts/storage/listens.py" "$WEB_DOMAIN" "$MEDIA_HOST" "$(has_ipv6 && echo yes || echo no)" "$@" ||
    die "nginx's files to say where $WEB_DOMAIN listens" "what stands above" "see \`nginx -t\` on that host, then run \`pulumi up\` again"
}

# The bucket's root must not list; that it answers at all, with the right certificate, is what counts here.
answers_here() {
  local here said
  here="$(python3 "$scripts/lib/site_address.py" "$MEDIA_HOST")"
  said="$(curl --silent --show-error --noproxy '*' --max-time 15 --resolve "$MEDIA_HOST:443:$here" --output /dev/null --write-out '%{http_code}' "https://$MEDIA_HOST/trunkline" 2>&1)" || true
  echo "https://$MEDIA_HOST/trunkline at $here answered: $said"
  [[ $said =~ ^(404|403)$ ]]
}
