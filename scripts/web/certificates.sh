# web/certificates (target): the source's certificate and key, outside of any `live/` folder, checked before anyone is served with them.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY
. "$scripts/lib/source.sh"
. "$scripts/lib/web.sh"

present() {
  open_source
  check_source
  local folder=$run/tls
  (umask 077 && mkdir -p "$folder" && source_read certificates | tar -x -C "$folder" --no-same-owner)
  check_pair "$folder"
  # For web/site: how large a request the source's own site takes.
  source_read read site >"$folder/site"
  put_file "$source_site" 0600 root:root <"$folder/site"
  install -d -m 0700 "$etc/tls" "$tls_folder"
  put_file "$tls_folder/fullchain.pem" 0600 root:root <"$folder/fullchain.pem"
  local pair_changed=$file_changed
  put_file "$tls_folder/privkey.pem" 0600 root:root <"$folder/privkey.pem"
  [[ $file_changed == yes ]] || file_changed=$pair_changed
  rm -rf "$folder"
  # A renewed pair is taken up by a site that already serves.
  if [[ $file_changed == yes && -e /etc/nginx/sites-enabled/trunkline ]]; then load_nginx true; fi
  result notAfter "$(end_of "$tls_folder/fullchain.pem")"
}

absent() {
  drop_file "$tls_folder/fullchain.pem" "$tls_folder/privkey.pem" "$source_site"
  rmdir "$tls_folder" "$etc/tls" 2>/dev/null || true
}

end_of() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%FT%TZ; }

check_pair() { # FOLDER
  local cert=$1/fullchain.pem key=$1/privkey.pem said
  [[ "$(openssl x509 -in "$cert" -noout -pubkey)" == "$(openssl pkey -in "$key" -pubout)" ]] ||
    die "$TLS_KEY on the source to be the key of $TLS_CERT" "another key" "see which pair the source's nginx really uses"
  said="$(openssl x509 -in "$cert" -noout -checkhost "$WEB_DOMAIN")"
  [[ $said == *"does match"* ]] || die "the certificate $TLS_CERT to cover $WEB_DOMAIN" "$said" "renew it on the source for that name"
  openssl x509 -in "$cert" -noout -checkend 86400 >/dev/null ||
    die "the certificate $TLS_CERT to be valid for a day at least" "its end is $(end_of "$cert")" "renew it on the source first (certbot renew)"
}
