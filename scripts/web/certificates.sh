# web/certificates (target): the source's certificate and key, copied outside of certbot's live/ (a copied live/ breaks
# renewals), so that the target can serve the name before DNS points there.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY
. "$scripts/lib/source.sh"
. "$scripts/web/names.sh"

tls=$etc/tls/$WEB_DOMAIN

present() {
  local fetched
  open_source
  check_source
  fetched="$(mktemp -d "$state/certificates.XXXXXX")"
  source_read certificates | tar -x -C "$fetched" -f -
  check_certificate "$fetched/fullchain.pem" "$fetched/privkey.pem"
  put_file "$tls/fullchain.pem" 0600 root:root <"$fetched/fullchain.pem"
  put_file "$tls/privkey.pem" 0600 root:root <"$fetched/privkey.pem"
  rm -rf "$fetched"
  # The source's own site tells its names and its body size to web/site.
  source_read read site | put_file "$state/site.source" 0600 root:root
  result notAfter "$(date -u -d "$(openssl x509 -noout -enddate -in "$tls/fullchain.pem" | cut -d= -f2)" +%FT%TZ)"
}

absent() {
  drop_file "$tls/fullchain.pem" "$tls/privkey.pem" "$state/site.source"
}

# check_certificate CERT KEY: it can be read, is valid for more than a day, is for this name, and the key fits it.
check_certificate() {
  local remedy="renew it on the source, then run \`pulumi up\` again"
  openssl x509 -noout -in "$1" 2>/dev/null || die "a certificate at $TLS_CERT on the source" "something else" "$remedy"
  openssl x509 -noout -checkend 86400 -in "$1" >/dev/null ||
    die "a certificate that is valid for a day at least" "$(openssl x509 -noout -enddate -in "$1")" "$remedy"
  openssl x509 -noout -checkhost "$WEB_DOMAIN" -in "$1" | grep -q 'does match' ||
    die "a certificate for $WEB_DOMAIN" "$(openssl x509 -noout -ext subjectAltName -in "$1" 2>/dev/null | tail -n 1)" "$remedy"
  [[ "$(openssl x509 -noout -pubkey -in "$1")" == "$(openssl pkey -pubout -in "$2" 2>/dev/null)" ]] ||
    die "the key $TLS_KEY to fit the certificate $TLS_CERT" "another key" "mend that on the source"
}
