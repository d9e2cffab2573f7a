"""Prints the media host's nginx site: Mastodon's own proxy in front of object storage. Its values come as HOST_* variables."""

import os
import string
from urllib.parse import urlsplit

TEXT = r"""# Made by Trunkline: $name, in front of the bucket.
proxy_cache_path /var/cache/nginx/trunkline-media levels=1:2 keys_zone=trunkline_media:10m inactive=7d max_size=10g;
# The path as it was asked for: decoded, a name with a space in it would be two words to the store.
map $$request_uri $$trunkline_object {
  "~^(?<asked>[^?]*)" $$asked;
}

server {
$listen_80
  server_name $name;
  location /.well-known/acme-challenge/ { root /var/lib/letsencrypt/trunkline-media; }
  location / { return 301 https://$$host$$request_uri; }
}

server {
$listen_443
  server_name $name;
  ssl_certificate "$cert";
  ssl_certificate_key "$key";
  ssl_protocols TLSv1.2 TLSv1.3;
  keepalive_timeout 30;
  root /nonexistent;

  set $$trunkline_store "$scheme://$host";
  resolver $resolvers valid=30s;

  # The bucket's list is for nobody, and archives are for their owners, who get a signed link.
  location = / { return 404; }
  location ^~ /backups/ { return 404; }

  location / {
    limit_except GET { deny all; }
    proxy_pass $$trunkline_store$prefix$$trunkline_object;
    proxy_http_version 1.1;
    proxy_ssl_server_name on;
    proxy_ssl_name $bare;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 5;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    proxy_set_header Authorization "";
    proxy_set_header Cookie "";
    proxy_set_header Range $$http_range;
    proxy_hide_header Set-Cookie;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Allow-Headers;
    proxy_hide_header Cache-Control;
    proxy_hide_header x-amz-id-2;
    proxy_hide_header x-amz-request-id;
    proxy_hide_header x-amz-meta-mtime;
    proxy_hide_header x-amz-meta-server-side-encryption;
    proxy_hide_header x-amz-server-side-encryption;
    proxy_hide_header x-amz-bucket-region;
    proxy_hide_header x-amzn-requestid;
    proxy_ignore_headers Set-Cookie Expires Cache-Control X-Accel-Expires;
    proxy_intercept_errors on;
    proxy_connect_timeout 10s;
    proxy_read_timeout 60s;

    proxy_cache trunkline_media;
    # Only what is there is kept: an answer that something is missing must not outlive its coming.
    proxy_cache_valid 200 48h;
    proxy_cache_key $$trunkline_object;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
    proxy_cache_lock on;
    proxy_cache_bypass $$http_range;
    proxy_no_cache $$http_range;
    include $miss;

    expires 1y;
    add_header Cache-Control "public, immutable";
    add_header Access-Control-Allow-Origin "*";
    add_header X-Cache-Status $$upstream_cache_status;
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
  }

  # Not in the bucket yet: the disk has it.
  location @disk {
    root "$media";
    try_files $$uri =404;
    log_not_found off;
    add_header Cache-Control "public, max-age=60";
    add_header Access-Control-Allow-Origin "*";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
  }
}
"""


def main(given):
    public = urlsplit(given["PUBLIC"])
    resolvers = [("[%s]" % r if ":" in r else r) for r in given["RESOLVERS"].split() if "%" not in r] or ["127.0.0.53"]
    values = {
        "name": given["NAME"], "cert": given["CERT"], "key": given["KEY"], "media": given["MEDIA"], "miss": given["MISS"],
        "scheme": public.scheme, "host": public.netloc, "bare": public.hostname, "prefix": public.path.rstrip("/"),
        "resolvers": " ".join(resolvers),
        "listen_80": given["LISTEN_80"], "listen_443": given["LISTEN_443"],
    }  # fmt: skip
    print(string.Template(TEXT).substitute(values), end="")


main({name[5:]: value for name, value in os.environ.items() if name.startswith("HOST_")})
