"""proxy.py SITE: prints the source's nginx site with every TLS server of the domain turned into a proxy to the target.

What a server listens on, its names, its certificates and logs stay; what it did with requests goes. All else in the file
(other servers, maps, upstreams) stays byte for byte, so that going back is to put the original in its place.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402

KEPT = ("listen", "server_name", "http2", "access_log", "error_log", "keepalive_timeout", "client_max_body_size",
        "set_real_ip_from", "real_ip_header", "real_ip_recursive", "gzip")  # fmt: skip

HEAD = """# {mark}
map $http_upgrade $trunkline_connection {{
  default upgrade;
  '' '';
}}
# A request that may be sent twice takes a connection that is open already; any other gets a fresh one, since nginx would
# not repeat it if the old connection turned out to be closed.
map $request_method $trunkline_target {{
  default trunkline_fresh;
  GET trunkline_kept;
  HEAD trunkline_kept;
}}
upstream trunkline_fresh {{
  server {target}:443 max_fails=0;
}}
upstream trunkline_kept {{
  server {target}:443 max_fails=0;
  keepalive 32;
  keepalive_timeout 50s;
}}
server {{
  listen 127.0.0.1:{media_port};
  access_log off;
  location /system/ {{
    limit_except GET {{ deny all; }}
    alias "{media}/";
  }}
  location / {{ return 404; }}
}}

"""

LOCATIONS = """
  # Renewals of the certificate are still answered here, as long as DNS points here.
  location ^~ /.well-known/acme-challenge/ {{
    root "{app}/public";
  }}
  location / {{
    proxy_pass https://$trunkline_target;
    proxy_ssl_name {domain};
    proxy_ssl_server_name on;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 5;
    proxy_ssl_trusted_certificate "{trust}";
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Proxy "";
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $trunkline_connection;
    proxy_buffering off;
    proxy_redirect off;
    proxy_connect_timeout 10s;
    proxy_send_timeout 130s;
    # Longer than the target waits for its app; a stream says something every 30 s.
    proxy_read_timeout 130s;
    proxy_next_upstream error;
    tcp_nodelay on;
  }}
"""


def proxied(text, server, values):
    """The server block with its requests handed on."""
    lines = [text[d.start : d.end] for d in server.block if d.name in KEPT or d.name.startswith("ssl")]
    # Certbot's options file holds ssl_* lines only; other includes may hold locations.
    lines += [text[d.start : d.end] for d in server.all("include") if "ssl" in d.values[0]]
    if not server.first("client_max_body_size"):
        lines.append("client_max_body_size 100m;")
    return "server {\n  " + "\n  ".join(lines) + LOCATIONS.format(**values) + "}"


def main(path, values):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    found = [s for s in nginxconf.servers(nginxconf.parse(text)) if nginxconf.is_tls(s) and nginxconf.serves(s, values["domain"])]
    if not found:
        sys.exit("no server with TLS names %s in %s" % (values["domain"], path))
    out, at = [HEAD.format(**values)], 0
    for server in found:
        out += [text[at : server.start], proxied(text, server, values)]
        at = server.end
    sys.stdout.reconfigure(errors="surrogateescape")
    print("".join([*out, text[at:]]), end="")


main(sys.argv[1], {name[6:].lower(): value for name, value in os.environ.items() if name.startswith("PROXY_")})
