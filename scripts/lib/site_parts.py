"""What of the source's nginx sites belongs to the instance: names, certificates, and what its admin has added to Mastodon's own site.

The target has a site of its own in the shape of Mastodon's. What an admin has added is carried into it, as far as it can mean the
same there; the rest is named, so that nobody finds out afterwards.
"""

import re

import leading
import nginxconf

# What the target's site has anyway, or what belongs to a host.
OWN = re.compile(
    r"listen|server_name|ssl(_\w+)?|http[23](_\w+)?|quic(_\w+)?|root|index|error_page|recursive_error_pages|keepalive_\w+|sendfile|tcp_\w+|gzip(_\w+)?|brotli(_\w+)?"
    r"|access_log|error_log|set_real_ip_from|real_ip_\w+|resolver(_timeout)?|client_\w+|send_timeout|server_tokens|charset|large_client_header_buffers"
    r"|proxy_\w+|try_files|etag|log_not_found|output_buffers|merge_slashes|open_file_cache\w*|types_hash_\w+|default_type|include|variables_\w+"
)
# Names of Mastodon's own locations, in the releases from 4.1 on.
PATHS = re.compile(
    r"/?(\.well-known/acme-challenge|assets|avatars|emoji|headers|packs|shortcuts|sounds|ocr|system|sw\.js|api/v1/streaming|500\.html|favicon\.ico)?/?\$?"
)
# What means the same on another server.
SIMPLE = re.compile(
    r"return|rewrite|add_header|default_type|deny|allow|satisfy|expires|etag|charset|log_not_found|limit_req|limit_req_status|limit_conn"
    r"|limit_conn_status|limit_rate\w*|client_max_body_size|client_body_\w+|set|break|if_modified_since|types|gzip\w*|access_log|limit_except|if"
    r"|proxy_(set_header|buffering|redirect|http_version|read_timeout|send_timeout|connect_timeout|request_buffering|hide_header|pass_header|cache|no_cache|cache_bypass)"
    r"|tcp_nodelay|error_page|internal"
)
ADDED = re.compile(r"add_header|deny|allow|satisfy|rewrite|return|if|set|limit_req|limit_conn|limit_rate\w*")
# What may stand in the http block and changes no answer: where things are kept, how much of them, and what other directives are made of.
OF_HOST = re.compile(
    r"server|upstream|types|log_format|log_subrequest|server_name\w*|underscores_in_headers|ignore_invalid_headers|\w+_hash_\w+|\w+_pool_size"
    r"|(fastcgi|uwsgi|scgi|grpc|memcached|passenger|perl|lua|js)_\w+|init(_worker)?_by_lua\w*|geoip\w*|aio\w*|directio\w*|lingering_\w+|charset_\w+"
    r"|open_log_file_cache|rewrite_log|uninitialized_variable_warn|msie_\w+|vhost_traffic_status\w*"
    r"|reset_timedout_connection|postpone_output|send_lowat|read_ahead|subrequest_output_buffer_size|limit_(req|conn)_log_level|(absolute|port_in)_redirect"
)
OF_HTTP = ("limit_req_zone", "limit_conn_zone", "map", "geo", "split_clients")
HEADERS_OF_OWN = ("x-cached", "cache-control", "strict-transport-security", "x-content-type-options", "content-security-policy")


class Site:
    """The sites of one instance within a host's whole configuration. `names`: web domain first, then others that are its own."""

    def __init__(self, tree, names, app, ports=("127.0.0.1:3000", "127.0.0.1:4000")):
        self.http = nginxconf.within_http(tree) or tree
        self.asked, self.app, self.ports = [n for n in names if n], app, ports
        self.servers = nginxconf.servers(self.http)
        self.mine = [s for s in self.servers if any(nginxconf.serves(s, name) for name in self.asked) or self.leads_here(s)]
        self.tls = [s for s in self.mine if nginxconf.is_tls(s)]
        self.left = []

    # Which servers

    def leads_here(self, server):
        """Whether all it does is to send people on to the web domain, as one for www. does."""
        return bool(self.asked) and leading.leads_to(server, self.asked[0])

    def web(self):
        return [s for s in self.tls if nginxconf.serves(s, self.asked[0])] if self.asked else []

    def companions(self):
        """TLS servers of the instance's other names."""
        web = self.web()
        return [s for s in self.tls if s not in web]

    def names_of(self, servers):
        found = [name.lower() for s in servers for d in s.all("server_name") for name in d.values if plain(name)]
        return list(dict.fromkeys(found))

    def names(self):
        known = self.asked[:1] if self.web() else []
        return list(dict.fromkeys(known + self.names_of(self.web()) + self.names_of(self.companions())))

    def others(self):
        """First names of the sites that are somebody else's."""
        found = [self.names_of([s]) for s in self.servers if s not in self.mine]
        return sorted({names[0] for names in found if names and not set(names) & set(self.names()) and not onion(names[0])})

    def onions(self):
        """Names of onion services, whoever's."""
        return [name for name in self.names_of(self.servers) if onion(name)]

    def also_lead(self):
        """Servers of other names that hand requests to this app, by name and file. Onion services are told by themselves."""
        found = []
        for server in [s for s in self.servers if s not in self.mine and not set(self.names_of([s])) & set(self.names())]:
            name = server.first("server_name") or "listen %s" % server.first("listen")
            urls = [d.values[0] for d in nginxconf.walk(server.block) if d.name == "proxy_pass" and d.values]
            if not onion(name) and any(self.is_ours(url) for url in urls):
                found.append("%s (%s)" % (name, server.file))
        return found

    def files(self):
        """Files in which TLS servers of the instance stand."""
        return list(dict.fromkeys(s.file for s in self.web() + self.companions()))

    # What they have

    def certificate(self, server):
        """Paths of the certificate and its key, which may stand for all sites."""
        found = [" ".join(d.values) for name in ("ssl_certificate", "ssl_certificate_key") for d in (server.all(name) or self.general(name))[:1]]
        return tuple(found) if len(found) == 2 else None

    def general(self, name):
        return [d for d in self.http if d.name == name]

    def of_server(self, server, name):
        """Directives of that name that count in the server."""
        return server.all(name) or self.general(name)

    def real_ip(self, server):
        """Whose word on the client's address counts, and in which header."""
        froms = server.all("set_real_ip_from") or self.general("set_real_ip_from")
        header = server.all("real_ip_header") or self.general("real_ip_header")
        return {"from": [" ".join(d.values) for d in froms], "header": header[0].values[0] if header else "X-Real-IP" if froms else ""}

    def body(self):
        sizes = [nginxconf.bytes_of(s.first("client_max_body_size")) for s in self.web()]
        sizes = [size for size in sizes if size is not None]
        general = self.general("client_max_body_size")
        if not sizes and general:
            sizes = [nginxconf.bytes_of(" ".join(general[0].values))]
        return 0 if 0 in sizes else max(sizes, default=None)

    # What is carried

    def carried(self):
        """Everything that the target's site is to be made with."""
        web = self.web()
        main = {"server": [], "locations": [], "app": [], "system": []}
        for server in web:
            for key, texts in self.additions(server).items():
                main[key] += [t for t in texts if t not in main[key]]
        companions = []
        for server in self.companions():
            parts = self.additions(server, own_site=False)
            companions.append({"names": self.names_of([server]), "certificate": self.certificate(server), **parts})
        self.rules_of_http()
        texts = [t for part in (main, *companions) for key in ("server", "locations", "app", "system") for t in part[key]]
        return {
            "names": self.names_of(web), "body": self.body(), "realIp": self.real_ip(web[0]) if web else {"from": [], "header": ""},
            **main, "companions": companions, "http": self.shared(texts),
        }  # fmt: skip

    def rules_of_http(self):
        """Names what the http block says to all sites and the target's will not say, unless each of them says it anew: a closed site would open."""
        mine, lost = self.web() + self.companions(), {}
        for d in self.http:
            known = OWN.fullmatch(d.name) or OF_HOST.fullmatch(d.name) or d.name in OF_HTTP
            if mine and not known and not all(s.all(d.name) for s in mine):
                lost.setdefault((d.name, d.file), []).append(d)
        for (name, file), found in lost.items():
            if len(found) == 1:
                self.leave(found[0], None)
            else:
                self.left.append("%s, %d times in the http block (%s)" % (name, len(found), file))

    def additions(self, server, own_site=True):
        """What stands in a server besides Mastodon's own; without `own_site` every location counts."""
        parts = {"server": [], "locations": [], "app": [], "system": []}
        for d in server.block:
            if d.name == "location":
                self.location(d, parts, own_site)
            elif ADDED.fullmatch(d.name):
                self.keep(d, parts["server"], server)
            elif not OWN.fullmatch(d.name):
                self.leave(d, server)
            elif d.name == "listen" and "proxy_protocol" in d.values:
                self.leave(d, server)
        for d in self.of_server(server, "ssl_verify_client"):
            if d.values != ["off"]:
                self.leave(d, server)
        if not own_site and self.serves_files(server):
            self.leave(server.all("root")[0], server)
        return parts

    def serves_files(self, server):
        """Whether its root is a home page: neither the app's own folder nor there for nothing, since all is sent elsewhere."""
        whole = [d for d in server.all("location") if d.values == ["/"]]
        elsewhere = server.all("return") or any(d.name in ("return", "rewrite", "proxy_pass") for place in whole for d in place.block)
        root = server.first("root")
        return bool(root) and not elsewhere and not (root + "/").startswith(self.app + "/")

    def location(self, d, parts, own_site):
        path = d.values[-1] if d.values else ""
        if path.startswith("@"):
            if own_site and self.is_app(d):
                parts["app"] += self.added_headers(d)
            return
        bare = re.sub(r"^\^?/?\(?|\)?/?\$?$", "", path)
        own = d.values != ["=", "/"] and all(PATHS.fullmatch(part.strip("/^$")) for part in bare.split("|"))
        if d.values == ["/"] and own_site:
            parts["app"] += self.added_headers(d)
        elif bare == "system" and own_site:
            parts["system"] += self.added_headers(d)
        elif own and (own_site or "acme-challenge" in path):
            return
        else:
            self.keep(d, parts["locations"], None)

    def added_headers(self, location):
        found = [d for d in location.block if d.name == "add_header" and d.values and d.values[0].lower() not in HEADERS_OF_OWN]
        return [nginxconf.write(d, "    ") for d in found]

    def keep(self, d, texts, server):
        if self.may(d):
            texts.append(self.renamed(nginxconf.write(d)))
        else:
            self.leave(d, server)

    def leave(self, d, server):
        words = " ".join(d.words)
        reason = self.reason(d)
        self.left.append("%s%s (%s)" % (words[:120], " { … }" if d.block is not None else "", ("%s, in %s" % (reason, d.file)) if reason else d.file))

    def may(self, d):
        """Whether a directive and all in it mean the same on the target."""
        if d.name in ("location", "if", "limit_except", "types"):
            return d.name == "types" or all(self.may(inner) for inner in d.block or [])
        if d.name == "proxy_pass":
            return self.is_ours(d.values[0])
        if d.name in ("alias", "root"):
            return d.values[0].startswith(self.app + "/")
        if d.name == "try_files":
            return True
        return bool(SIMPLE.fullmatch(d.name))

    def reason(self, d):
        """The first thing within that does not go along."""
        if d.block is None:
            return ""
        odd = next((inner for inner in d.block if not self.may(inner)), None)
        return " ".join(odd.words)[:80] if odd else ""

    def shared(self, texts):
        """Maps and zones of the http block that the carried parts speak of."""
        kept, text = [], "\n".join(texts)
        for d in [d for d in self.http if d.name in OF_HTTP]:
            name = d.values[-1] if d.name != "limit_req_zone" and d.name != "limit_conn_zone" else zone_of(d)
            if name and re.search(r"%s\b" % re.escape(name), text):
                kept.append(nginxconf.write(d, ""))
                text += "\n" + kept[-1]
        return kept

    # The app behind it

    def upstreams(self):
        return {d.values[0]: [i.values[0] for i in d.all("server")] for d in self.http if d.name == "upstream" and d.values}

    def is_ours(self, url):
        place = re.match(r"(?:https?://)?(unix:[^:]+|[^/]*)", url)[1]
        servers = self.upstreams().get(place, [place])
        return all(any(same(server, port) for port in self.ports) for server in servers)

    def is_app(self, location):
        return any(self.is_ours(d.values[0]) for d in location.all("proxy_pass"))

    def between(self):
        """Where the web domain's own site hands the app's requests to something that is not the app: a filter of robots, a cache."""
        found = []
        for location in [d for s in self.web() for d in s.all("location") if d.values == ["/"] or d.values[-1:] and d.values[-1].startswith("@")]:
            urls = [d.values[0] for d in location.all("proxy_pass") if d.values and not self.is_ours(d.values[0])]
            # While a switch of the media is under way Trunkline's own names stand there.
            found += ["%s: %s" % (" ".join(location.words), url) for url in urls if "trunkline" not in url]
        return found

    def renamed(self, text):
        """Names of the app's upstreams and of its named location as the target's site has them."""
        for name, servers in self.upstreams().items():
            if all(any(same(s, p) for p in self.ports) for s in servers):
                new = "trunkline_streaming" if any(same(servers[0], p) for p in self.ports[1:]) else "trunkline_web"
                text = re.sub(r"(proxy_pass\s+http://)%s(?=[/;$\s])" % re.escape(name), r"\1" + new, text)
        named = {d.values[-1] for s in self.web() for d in s.all("location") if d.values[-1].startswith("@") and self.is_app(d)}
        for name in named:
            text = re.sub(r"%s(?=[;\s])" % re.escape(name), "@mastodon", text)
        # The target's site has a cache of its own, and logs where nginx does.
        text = re.sub(r"\b(proxy_cache\s+)(?!off\s*;)[^;]+;", r"\1trunkline;", text)
        return re.sub(r"\baccess_log\s+(?!off\s*;)[^;]+;", "", text)


def app_addresses(units):
    """Where the app listens, web first, from (kind, name, environment) of its units as systemd tells them."""
    web, streaming = [], []
    for kind, name, environment in units:
        fields = dict(word.split("=", 1) for word in environment.split() if "=" in word)
        port = fields.get("PORT") or (re.search(r"@(\d+)", name) or ["", ""])[1]
        if kind == "web":
            web.append("unix:" + fields["SOCKET"] if fields.get("SOCKET") else "127.0.0.1:" + (port or "3000"))
        elif kind == "streaming":
            streaming.append("127.0.0.1:" + (port or "4000"))
    return tuple(web[:1] or ["127.0.0.1:3000"]) + tuple(streaming or ["127.0.0.1:4000"])


def zone_of(d):
    found = re.search(r"zone=(\w+)", " ".join(d.values))
    return "zone=" + found[1] if found and d.name == "limit_req_zone" else found[1] if found else ""


def same(server, address):
    return server.replace("localhost", "127.0.0.1").replace("[::1]", "127.0.0.1") == address


def onion(name):
    """A name that Tor alone knows: no record leads to it, and nobody moves it but the tor daemon that has its key."""
    return name.endswith(".onion")


def plain(name):
    """A name that a certificate could be for, no pattern and no placeholder."""
    return bool(re.fullmatch(r"[a-zA-Z0-9*.-]+\.[a-zA-Z0-9-]+", name))
