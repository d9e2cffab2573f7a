# What the nginx sites of both servers have in common.
# shellcheck shell=bash

# server_names FILE: every name that a site of nginx serves, the web domain first, each once.
server_names() {
  {
    echo "$WEB_DOMAIN"
    sed -n 's/^[[:space:]]*server_name[[:space:]]\+\([^;#]*\);.*/\1/p' "$1" | tr -s ' \t' '\n'
  } | grep -xE '([a-zA-Z0-9*_-]+\.)+[a-zA-Z0-9-]+' | awk '!seen[$0]++' | tr '\n' ' '
}

# body_size FILE: the largest client_max_body_size of a site; Mastodon's own 99m if it names none.
body_size() {
  local size
  size="$(sed -n 's/^[[:space:]]*client_max_body_size[[:space:]]\+\([0-9]\+[kKmMgG]\?\);.*/\1/p' "$1" | numfmt --from=iec 2>/dev/null | sort -n | tail -n 1 || true)"
  echo "${size:-$((99 * 1024 * 1024))}"
}

# listen_lines PORT OPTIONS: for IPv4, and for IPv6 where the kernel has it.
listen_lines() {
  echo "  listen $1${2:+ $2};"
  [[ -e /proc/net/if_inet6 ]] && echo "  listen [::]:$1${2:+ $2};"
  return 0
}

# reload_nginx: checks the configuration first, and takes it up without dropping a request.
reload_nginx() {
  local said
  said="$(nginx -t 2>&1)" || die "nginx to accept its configuration" "$said" "mend what it names, then run \`pulumi up\` again"
  if systemctl is-active -q nginx; then systemctl reload nginx; else systemctl enable --quiet --now nginx; fi
}

# served_fingerprint: of the certificate that this host's nginx shows for the web domain.
served_fingerprint() {
  openssl s_client -connect 127.0.0.1:443 -servername "$WEB_DOMAIN" </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint -sha256 2>/dev/null
}

# answer PATH CURL-OPTION…: status of a request to this host's nginx by the web domain's name.
answer() {
  local path=$1
  shift
  curl --silent --insecure --max-time 15 --output /dev/null --write-out '%{http_code}' \
    --resolve "$WEB_DOMAIN:443:127.0.0.1" "$@" "https://$WEB_DOMAIN$path"
}
