"""site.py PARTS: prints the target's nginx site: the shape of Mastodon's own, with what a move adds and what the source's admin had added.

PARTS is what the source told (lib/site_parts.py) as JSON; the host's values come as SITE_* variables.
"""

import json
import os
import string
import sys

TEXT = r"""# Made by Trunkline: $domain on its new server.
map $$http_upgrade $$trunkline_connection {
  default upgrade;
  '' close;
}
# The source proves by this address that it reaches this host.
geo $$realip_remote_addr $$trunkline_source {
  default 0;
$geo
}
$http
upstream trunkline_web {
  server $web fail_timeout=0;
}
upstream trunkline_streaming {
  least_conn;
$streaming
}
proxy_cache_path /var/cache/nginx/trunkline levels=1:2 keys_zone=trunkline:10m inactive=7d max_size=1g;

server {
  listen 80;
$listen6_80
  server_name $names;
  root "$app/public";
  location /.well-known/acme-challenge/ { allow all; }
  location / { return 301 https://$$host$$request_uri; }
}

server {
$listen_443
$listen6_443
$http2_on
  server_name $names;
  ssl_certificate "$tls/fullchain.pem";
  ssl_certificate_key "$tls/privkey.pem";
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:trunkline_tls:10m;
  ssl_session_timeout 1d;

  # Whoever comes through the source is known by the address that the source saw.
$real_ip
  real_ip_header $real_ip_header;
  real_ip_recursive on;

  keepalive_timeout 70;
  sendfile on;
  client_max_body_size $body;
  root "$app/public";
  gzip on;
  gzip_disable "msie6";
  gzip_vary on;
  gzip_proxied any;
  gzip_comp_level 6;
  gzip_http_version 1.1;
  gzip_types text/plain text/css application/json application/javascript text/xml application/xml application/xml+rss text/javascript image/svg+xml image/x-icon;
  gzip_static on;
$added_server

  # An app that is not there is 503, whatever the method: remote servers try again, and nothing that they send is lost.
  error_page 502 504 =503 @unavailable;
  recursive_error_pages on;

  location = /.trunkline {
    access_log off;
    if ($$trunkline_source = 0) { return 404; }
    return 200 "target\n";
  }
  location / {
    try_files $$uri @mastodon;
  }
  location = /sw.js {
    add_header Cache-Control "public, max-age=604800, must-revalidate";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    try_files $$uri =404;
  }
  location ~ ^/(assets|avatars|emoji|headers|packs|shortcuts|sounds|ocr)/ {
    add_header Cache-Control "public, max-age=2419200, must-revalidate";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    try_files $$uri =404;
  }
$system
  location @media_source {
    proxy_pass http://127.0.0.1:$media_port;
    proxy_connect_timeout 5s;
    add_header Cache-Control "public, max-age=2419200, immutable";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
$added_system
  }
  location ^~ /api/v1/streaming {
    proxy_set_header Host $$host;
    proxy_set_header X-Real-IP $$remote_addr;
    proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $$scheme;
    proxy_set_header Proxy "";
    proxy_pass http://trunkline_streaming;
    proxy_buffering off;
    proxy_redirect off;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $$http_upgrade;
    proxy_set_header Connection $$trunkline_connection;
    tcp_nodelay on;
  }
  location @mastodon {
    proxy_set_header Host $$host;
    proxy_set_header X-Real-IP $$remote_addr;
    proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $$scheme;
    proxy_set_header Proxy "";
    proxy_pass_header Server;
    proxy_pass http://trunkline_web;
    proxy_buffering on;
    proxy_redirect off;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $$http_upgrade;
    proxy_set_header Connection $$trunkline_connection;
    # A request that waits while the data move must be answered late rather than not at all.
    proxy_read_timeout 120s;
    proxy_cache trunkline;
    proxy_cache_valid 200 7d;
    proxy_cache_valid 410 24h;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
    add_header X-Cached $$upstream_cache_status;
$added_app
    tcp_nodelay on;
  }
$added_locations
  location @unavailable {
    default_type text/plain;
    add_header Retry-After 30 always;
    return 503 "This server is being moved. Please try again in a moment.\n";
  }
}
"""


# The files are here, or not yet: then they come from the source.
ON_DISK = r"""  location ^~ /system/ {
    alias "%s/";
    include /etc/nginx/trunkline/media-source.conf;
    add_header Cache-Control "public, max-age=2419200, immutable";
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
%s
  }"""
# They are in a bucket: links from before lead to its host.
IN_BUCKET = r"""  location ^~ /system/ {
    if ($request_uri ~ ^/system/(.*)$) { return 302 https://%s/$1; }
    return 404;
  }"""
# LOCAL_DOMAIN and other names of the instance, as the source's admin had them.
COMPANION = r"""
server {
  listen 80;
$listen6_80
$listen_443
$listen6_443
$http2_on
  server_name $names;
  ssl_certificate "$cert";
  ssl_certificate_key "$key";
  ssl_protocols TLSv1.2 TLSv1.3;
$real_ip
  real_ip_header $real_ip_header;
  real_ip_recursive on;
  location ^~ /.well-known/acme-challenge/ { root "$app/public"; }
$added_server
$added_locations
}
"""


ABSENT = "#-"  # stands where a line does not apply
LEAST = 100 << 20  # Mastodon's own site takes requests of 99 MiB


def body(told):
    """As large as the source took them: a smaller limit would be 413, which remote servers count as final. 0 is no limit."""
    return str(told if told == 0 else max(told or 0, LEAST))


def filled(template, values):
    text = string.Template(template).substitute({name: value or ABSENT for name, value in values.items()})
    return "\n".join(line for line in text.splitlines() if line != ABSENT)


def added(parts):
    return {"added_" + key: "\n".join(parts.get(key, [])) for key in ("server", "locations", "app", "system")}


def system(given, parts):
    """Where files are: on this host (and until they all are, on the source), or in a bucket."""
    if not given["MEDIA"]:
        return IN_BUCKET % given["ALIAS"]
    return ON_DISK % (given["MEDIA"], added(parts)["added_system"] or ABSENT)


def main(path, given):
    with open(path, encoding="utf-8") as file:
        parts = json.load(file)
    sources, trusted = given["SOURCES"].split(), parts["realIp"]["from"]
    ipv6 = given["IPV6"] == "yes"
    http2 = " http2" if given["HTTP2"] == "listen" else ""
    common = {
        "app": given["APP"], "real_ip": "\n".join("  set_real_ip_from %s;" % a for a in dict.fromkeys(sources + trusted)),
        # The source tells by the same header whom it saw.
        "real_ip_header": parts["realIp"]["header"] if trusted else "X-Forwarded-For",
        "listen_443": "  listen 443 ssl%s;" % http2, "listen6_80": "  listen [::]:80;" if ipv6 else "",
        "listen6_443": "  listen [::]:443 ssl%s;" % http2 if ipv6 else "", "http2_on": "  http2 on;" if given["HTTP2"] == "on" else "",
    }  # fmt: skip
    values = {
        **common, **added(parts), "domain": given["DOMAIN"], "names": " ".join(dict.fromkeys([given["DOMAIN"], *parts["names"]])),
        "system": system(given, parts), "tls": given["TLS"], "body": body(parts["body"]), "web": given["WEB"], "streaming": given["STREAMING"],
        "media_port": given["MEDIA_PORT"], "geo": "\n".join("  %s 1;" % source for source in sources), "http": "\n".join(parts["http"]),
    }  # fmt: skip
    print(filled(TEXT, values))
    for number, companion in enumerate(parts["companions"], 1):
        pair = {"cert": "%s/%d.fullchain.pem" % (given["TLS"], number), "key": "%s/%d.privkey.pem" % (given["TLS"], number)}
        print(filled(COMPANION, {**common, **added(companion), **pair, "names": " ".join(companion["names"])}))


main(sys.argv[1], {name[5:]: value for name, value in os.environ.items() if name.startswith("SITE_")})
