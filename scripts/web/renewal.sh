# web/renewal (target): certificates that certbot renewed on the source over HTTP it renews here, from now on: DNS leads here by
# now, and to no other server. It proves the names by files in the app's public folder; nginx reads what it gets by links.
# shellcheck shell=bash
. "$scripts/lib/web.sh"

le=/etc/letsencrypt
taken=$state/renewals # certificates that certbot here was given, a name a line

present() {
  local name host
  for name in $RENEWALS; do
    if [[ -e $le/renewal/$name.conf ]] && ! is_taken "$name"; then
      log "web/renewal: certbot on this host has a certificate $name of its own, and keeps it: see to it yourself that nginx gets what it renews"
      continue
    fi
    is_taken "$name" || echo "$name" >>"$taken"
    [[ -e $le/renewal/$name.conf ]] || hand_over "$name"
    link_pairs "$name"
    wait_until 60 "certbot on this host to know the certificate $name" is_known "$name"
    while read -r host; do
      wait_until 20 "a proof for $host to be answered on port 80 of this host" proof_answered "$host"
    done < <(names_of "$le/live/$name/cert.pem")
  done
  [[ -s $taken ]] || { result renews none; return; }
  [[ $changed == no ]] || load_nginx true
  if ! systemctl is-enabled --quiet certbot.timer || ! systemctl is-active --quiet certbot.timer; then
    systemctl enable --quiet --now certbot.timer
    changed=yes
  fi
  result renews "$(xargs <"$taken")"
}

# What nginx serves stays, as files again, and may be newer than what the source has.
absent() {
  local name
  [[ -e $taken ]] || return 0
  while read -r name; do take_back "$name"; done <"$taken"
  drop_file "$taken"
}

is_taken() { grep -qsxF "$1" "$taken"; }

# hand_over NAME: the pair that nginx serves, with the settings and the account from the source. The settings come last:
# certbot sees it whole or not at all.
hand_over() {
  local name=$1 archive=$le/archive/$1 cert key _ part
  read -r cert key _ < <(pairs_of "$name")
  install -d -m 0755 "$le" "$le/renewal"
  install -d -m 0700 "$le/accounts" "$le/archive" "$le/live" "$archive" "$le/live/$name"
  put_file "$archive/fullchain1.pem" 0644 root:root <"$tls_folder/$cert"
  put_file "$archive/privkey1.pem" 0600 root:root <"$tls_folder/$key"
  openssl x509 -in "$archive/fullchain1.pem" | put_file "$archive/cert1.pem" 0644 root:root
  sed '1,/-----END CERTIFICATE-----/d' "$archive/fullchain1.pem" | put_file "$archive/chain1.pem" 0644 root:root
  for part in cert chain fullchain privkey; do ln -sfn "../../archive/$name/${part}1.pem" "$le/live/$name/$part.pem"; done
  rsync --archive --ignore-existing "$renewal_kit/accounts/" "$le/accounts/"
  names_of "$archive/cert1.pem" |
    python3 "$scripts/web/renewal.py" "$renewal_kit/renewal/$name.conf" "$APP_DIR/public" |
    put_file "$le/renewal/$name.conf" 0644 root:root
}

pairs_of() { awk -v name="$1" '$3 == name' "$renewal_kit/pairs"; } # NAME: lines CERTIFICATE KEY NAME

link_pairs() { # NAME
  local cert key name
  while read -r cert key name; do
    link_file "$le/live/$name/fullchain.pem" "$tls_folder/$cert"
    link_file "$le/live/$name/privkey.pem" "$tls_folder/$key"
  done < <(pairs_of "$1")
}

link_file() { # GOAL PATH
  [[ "$(readlink "$2")" != "$1" ]] || return 0
  ln -sfn "$1" "$(part_of "$2")"
  mv -T "$(part_of "$2")" "$2"
  changed=yes
}

take_back() { # NAME
  local name=$1 file account
  drop_file "$le/renewal/$name.conf"
  while read -r file; do
    install -m 0600 "$file" "$(part_of "$file")"
    mv -T "$(part_of "$file")" "$file"
  done < <(find "$tls_folder" -type l -lname "$le/live/$name/*")
  rm -rf --one-file-system "${le:?}/live/$name" "${le:?}/archive/$name"
  # An account stays where its admin has got another certificate with it.
  while read -r file; do
    account="$(basename "$(dirname "$file")")"
    grep -rqsF "$account" "$le/renewal" || drop_file "$le/accounts/$file"
  done < <(find "$renewal_kit/accounts" -type f -printf '%P\n')
}

names_of() { openssl x509 -in "$1" -noout -ext subjectAltName | grep -o 'DNS:[^, ]*' | cut -d: -f2; } # CERTIFICATE

is_known() {
  local said
  said="$(certbot certificates --cert-name "$1" 2>&1)" || true
  tr -s '\n -' ' ' <<<"$said"
  [[ $said == *"Certificate Name: $1"* ]]
}

# As the authority asks for it: a file there, by name over HTTP, and on wherever it is sent.
proof_answered() {
  local folder=$APP_DIR/public/.well-known/acme-challenge said
  (umask 022 && mkdir -p "$folder" && echo "$1" >"$folder/trunkline")
  said="$(curl --silent --show-error --noproxy '*' --max-time 10 --location --insecure --connect-to '::127.0.0.1:' "http://$1/.well-known/acme-challenge/trunkline" 2>&1)" || true
  rm -f "$folder/trunkline"
  echo "http://$1/.well-known/acme-challenge/trunkline answered: ${said:0:200}"
  [[ $said == "$1" ]]
}
