# web/certificates (target): the source's certificates and keys, outside of any `live/` folder, checked before anyone is served with them.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY; SEEN_PAIRS SEEN_SITE, which only make the step run again
. "$scripts/lib/source.sh"
. "$scripts/lib/web.sh"

present() {
  # From then on certbot renews them here (web/renewal), and the source's are the older ones.
  if [[ -d $tls_folder && -n "$(find "$tls_folder" -type l)" ]]; then
    result notAfter "$(end_of "$tls_folder/fullchain.pem")"
    return
  fi
  open_source
  check_source
  local folder=$run/tls
  rm -rf "$folder"
  (umask 077 && mkdir -p "$folder" && source_read certificates | tar -x -C "$folder" --no-same-owner)
  source_read site >"$folder/site"
  check_pair "$folder" fullchain.pem privkey.pem "$WEB_DOMAIN"
  check_others "$folder"
  # For web/site: what its admin has added to the source's own site.
  put_file "$source_site" 0600 root:root <"$folder/site"
  install -d -m 0700 "$etc/tls" "$tls_folder"
  local file pairs_changed=no
  for file in "$folder"/*.pem; do
    put_file "$tls_folder/${file##*/}" 0600 root:root <"$file"
    [[ $file_changed == no ]] || pairs_changed=yes
  done
  rm -rf "$folder"
  carry_kit
  # A renewed pair is taken up by a site that already serves.
  if [[ $pairs_changed == yes && -e /etc/nginx/sites-enabled/trunkline ]]; then load_nginx true; fi
  result notAfter "$(end_of "$tls_folder/fullchain.pem")"
}

absent() {
  drop_file "$tls_folder"/*.pem "$source_site"
  rm -rf --one-file-system "$renewal_kit"
  rmdir "$tls_folder" "$etc/tls" 2>/dev/null || true
}

# certbot's settings and account, kept until web/renewal needs them: by then the source may be gone.
carry_kit() {
  [[ -n $RENEWALS ]] || return 0
  local new=$run/renewal
  rm -rf "$new"
  (umask 077 && mkdir -p "$new" && source_read renewals | tar -x -C "$new" --no-same-owner)
  if ! diff -r "$new" "$renewal_kit" >/dev/null 2>&1; then
    rm -rf --one-file-system "$renewal_kit"
    mv "$new" "$renewal_kit"
    changed=yes
  fi
  rm -rf "$new"
}

# Pairs of LOCAL_DOMAIN and other names, each in the order of the site's companions.
check_others() { # FOLDER
  local number name
  while read -r number name; do
    [[ ! -e $1/$number.fullchain.pem ]] || check_pair "$1" "$number.fullchain.pem" "$number.privkey.pem" "$name"
  done < <(python3 -c 'import json, sys
for number, site in enumerate(json.load(open(sys.argv[1]))["companions"], 1):
    print(number, site["names"][0])' "$1/site")
}

end_of() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%FT%TZ; }

check_pair() { # FOLDER CERT KEY NAME
  local cert=$1/$2 key=$1/$3 name=$4 said
  [[ "$(openssl x509 -in "$cert" -noout -pubkey)" == "$(openssl pkey -in "$key" -pubout)" ]] ||
    die "the key on the source to be that of the certificate for $name" "another key" "see which pair the source's nginx really uses"
  said="$(openssl x509 -in "$cert" -noout -checkhost "$name")"
  [[ $said == *"does match"* ]] || die "the source's certificate for $name to cover it" "$said" "renew it on the source for that name"
  openssl x509 -in "$cert" -noout -checkend 86400 >/dev/null ||
    die "the source's certificate for $name to be valid for a day at least" "its end is $(end_of "$cert")" "renew it on the source first (certbot renew)"
  # An authority that only a CDN trusts: the source, as a proxy, has to know the target by it.
  said="$(TLS_CERT=$1/fullchain.pem proven_by_chain "$cert" 2>&1)" ||
    die "the source's certificate for $name to lead up to an authority that is known" "$(tail -n 2 <<<"$said" | tr '\n' ' '), issued by $(openssl x509 -in "$cert" -noout -issuer)" \
      "append the certificates of its issuer, up to the root, to the file that ssl_certificate names on the source (Cloudflare publishes its Origin CA root), then run \`pulumi up\` again"
}
