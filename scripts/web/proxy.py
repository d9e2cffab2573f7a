"""proxy.py FILE: prints a file of the source's nginx with every TLS server of the instance in it turned into a proxy to the target.
proxy.py --files: prints the paths of the files that have such servers, the web domain's first.
proxy.py --head: prints what stands before them: the ways to the target, and the server that gives it this one's files.

What a server listens on, its names, its certificates and logs stay, also where an include holds them; what it did with requests goes.
All else in the file (other servers, maps, upstreams) stays byte for byte, so that going back is to put the original in its place.
Files that were saved are read as they were (PROXY_SAVED).
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402
import site_parts  # noqa: E402

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

# Clients still have to show a certificate, but for the one path by which the move is proven.
ASKED = """  ssl_verify_client optional;
  set $trunkline_client $ssl_client_verify;
  if ($uri = /.trunkline) { set $trunkline_client SUCCESS; }
  if ($trunkline_client != SUCCESS) { return 400; }"""

LOCATIONS = """
  # Renewals of the certificate are still answered here, as long as DNS points here.
  location ^~ /.well-known/acme-challenge/ {{
    root "{app}/public";
  }}
  location / {{
    proxy_pass https://$trunkline_target;
    proxy_ssl_name {name};
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
{told}    proxy_set_header Proxy "";
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


def proxied(server, site, values, name):
    """The server block with its requests handed on."""
    lines = [nginxconf.write(d) for d in server.block if d.name in KEPT or d.name.startswith("ssl") and d.name != "ssl_verify_client"]
    for d in site.of_server(server, "ssl_verify_client")[:1]:
        lines.append(ASKED if d.values == ["on"] else nginxconf.write(d))
    if not server.first("client_max_body_size"):
        lines.append("  client_max_body_size 100m;")
    # A CDN's word on the client goes on in the CDN's own header, which the target reads too.
    header = site.real_ip(server)["header"]
    told = "" if header.lower() in ("", "x-forwarded-for", "x-real-ip", "proxy_protocol") else "    proxy_set_header %s $remote_addr;\n" % header
    return "server {\n" + "\n".join(lines) + LOCATIONS.format(**values, name=name, told=told) + "}"


def first_name(server, site):
    return next(iter(site.names_of([server])), site.asked[0]).replace("*.", "www.")


def same_file(server, path):
    return os.path.realpath(server.file) == os.path.realpath(path)


def main(path, values):
    names = values.get("names", values["domain"]).split()
    if path == "--head":
        return print(HEAD.format(**values), end="")
    read, listed = nginxconf.on_disk(values.get("saved", ""))
    if path == "--files":
        site = site_parts.Site(nginxconf.load(read, listed), [values["domain"], *names], values["app"])
        return print("".join(file + "\n" for file in dict.fromkeys(os.path.realpath(file) for file in site.files())), end="")
    text, whole = read(path), nginxconf.ROOT
    tree = nginxconf.load(read, listed) if os.path.exists(whole) else []
    if not any(same_file(s, path) for s in nginxconf.servers(tree)):
        tree = nginxconf.load(read, listed, path)
    site = site_parts.Site(tree, [values["domain"], *names], values["app"])
    # The same servers as they stand in this file, where what an include holds has no place.
    loaded = [s for s in site.servers if same_file(s, path)]
    found = [(place, s) for place, s in zip(nginxconf.servers(nginxconf.parse(text)), loaded) if s in site.tls]
    if not found:
        sys.exit("no server with TLS names %s in %s" % (" or ".join(names), path))
    # A file that has the http block itself, as nginx.conf has, takes what stands before the servers within it.
    at = next((d.inner[0] for d in nginxconf.parse(text) if d.name == "http" and d.block is not None), 0)
    head = HEAD.format(**values) if values.get("head", "yes") == "yes" else "# %s\n" % values["mark"]
    out = [text[:at], "\n" if at else "", head]
    for place, server in found:
        name = values["domain"] if nginxconf.serves(server, values["domain"]) else first_name(server, site)
        out += [text[at : place.start], proxied(server, site, values, name)]
        at = place.end
    sys.stdout.reconfigure(errors="surrogateescape")
    print("".join([*out, text[at:]]), end="")


main(sys.argv[1], {name[6:].lower(): value for name, value in os.environ.items() if name.startswith("PROXY_")})
