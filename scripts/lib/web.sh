# nginx on this host: tried before it is loaded, loaded without dropping anyone, and asked whether it serves.
# shellcheck shell=bash

# The pair that both sites of a move serve with; on the target a copy.
tls_folder=$etc/tls/$DOMAIN
renewal_kit=$etc/renewal         # on the target: what certbot on the source renews its pairs with
source_site=$state/source.site # on the target: the source's site as it was carried

# has_ipv6: a site that listens on [::] would keep nginx from starting on a host without IPv6.
has_ipv6() { [[ -s /proc/net/if_inet6 ]]; }

# load_nginx [CMD…]: loads what is in the files. If nginx does not like them, CMD takes back what was changed: a file that
# it cannot read would keep it from starting after a reboot.
load_nginx() {
  local said workers=()
  if ! said="$(nginx -t 2>&1)"; then
    (($# == 0)) || "$@"
    die "nginx to accept its configuration" "$said" "mend what it names on that host, then run \`pulumi up\` again"
  fi
  systemctl is-enabled --quiet nginx || systemctl enable --quiet nginx
  if systemctl is-active --quiet nginx; then
    mapfile -t workers < <(nginx_workers)
    systemctl reload nginx
    # A reload has only been asked for when it returns; what is proven next would be proven of the old files.
    wait_until 30 "nginx to take up its new configuration" reloaded "${workers[@]}"
  else
    systemctl start nginx
  fi
}

# Pids, of this host's nginx alone: containers may have theirs. Also those that answer what they were asked before a reload.
nginx_workers() {
  local main pid children=()
  main="$(unit_property nginx MainPID)"
  read -ra children 2>/dev/null <"/proc/$main/task/$main/children" || true
  for pid in "${children[@]}"; do
    [[ "$(title_of "$pid")" != "nginx: worker process"* ]] || echo "$pid"
  done
}

# title_of PID: nothing if it is gone.
title_of() { tr -d '\0' 2>/dev/null <"/proc/$1/cmdline" || true; }

# reloaded PID…: new workers are there, and none of those from before takes anything new.
reloaded() {
  local pid new=no
  for pid in $(nginx_workers); do
    [[ "$(title_of "$pid")" != *"shutting down" ]] || continue
    [[ " $* " != *" $pid "* ]] || { echo "worker $pid goes on"; return 1; }
    new=yes
  done
  [[ $new == yes ]] || { echo "no new worker of nginx"; return 1; }
}

# Where this host's own site is asked: a site that listens on a public address alone is not to be had on loopback.
site_address() { python3 "$scripts/lib/site_address.py" "$WEB_DOMAIN"; }

# What a site of the move is trusted by: the system's authorities, and its own chain, which may be its own authority's.
site_trust() {
  local file
  for file in /etc/ssl/certs/ca-certificates.crt "$tls_folder/fullchain.pem" "${TLS_CERT:-}"; do
    [[ ! -f $file ]] || awk 1 "$file" # with its last line ended
  done
}

# proven_by_chain CERTIFICATE: whether nginx, which wants a chain up to its root, would take a site with it for the right one.
proven_by_chain() {
  site_trust >"$run/site-trust.pem"
  openssl verify -purpose sslserver -CAfile "$run/site-trust.pem" -untrusted "$1" "$1"
}

# has_rules: whether the site that was carried lets in some addresses only, and so perhaps not this host.
has_rules() { grep -Eqs '"\s*(deny|allow) ' "$source_site"; }

# ask_site ADDRESS PATH [CURL OPTION…]: status and first line of what the domain's site at ADDRESS answers, certificate checked.
ask_site() {
  local address=$1 path=$2
  shift 2
  site_trust >"$run/site-trust.pem"
  curl --silent --show-error --noproxy '*' --max-time 15 --cacert "$run/site-trust.pem" --resolve "$WEB_DOMAIN:443:$address" \
    --write-out ' %{http_code}' "$@" "https://$WEB_DOMAIN$path" 2>&1 | tail -n 2 | tr -s '\n ' ' ' || true
}

# media_from_disk CODES LOCATION: what an nginx location of /system/ holds that serves the media folder, as Mastodon's own does;
# what is not there goes on to LOCATION.
media_from_disk() {
  cat <<-END
	  alias "$MEDIA_DIR/";
	  error_page $1 = $2;
	  log_not_found off;
	  add_header Cache-Control "public, max-age=2419200, immutable";
	  add_header X-Content-Type-Options nosniff;
	  add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
	END
}
