"""nginx: the site that serves the domain, and its certificates."""

import os
import re
import time

import nginxconf
from probe import Unreadable, look, run


def nginx(domain):
    try:
        shown = run(["nginx", "-v", "-T"])
        version = ""
    except Unreadable as why:
        if "not installed" in str(why):
            return None
        raise
    version = look("nginx's version", nginx_version, default="")
    files = [(path, nginxconf.parse(text)) for path, text in split(shown)]
    found = [(path, server) for path, tree in files for server in nginxconf.servers(tree) if nginxconf.serves(server, domain)]
    found.sort(key=lambda pair: not nginxconf.is_tls(pair[1]))
    tls = [server for _, server in found if nginxconf.is_tls(server)]
    everywhere = [tree for _, tree in files]
    return {
        "version": version,
        "active": look("nginx's unit", is_active, default=False),
        "sites": list(dict.fromkeys(os.path.realpath(path) for path, _ in found)),
        "bodyBytes": body_bytes(tls, everywhere),
        "certificates": look("certificates", certificates, [server for _, server in found], everywhere, default=[]),
    }


def nginx_version():
    # nginx tells its version on stderr.
    return re.search(r"nginx/([\d.]+)", run(["sh", "-c", "nginx -v 2>&1"]))[1]


def is_active():
    return run(["sh", "-c", "systemctl is-active nginx || true"]).strip() == "active"


def split(shown):
    """The files within `nginx -T`."""
    parts = re.split(r"^# configuration file (.+):\n", shown, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def from_http(trees, name):
    """A directive that stands for all sites: in the http block or in a file that it includes."""
    for tree in trees:
        for directive in tree + [d for block in tree if block.name == "http" for d in block.block or []]:
            if directive.name == name and directive.block is None:
                return directive
    return None


def body_bytes(tls, trees):
    for server in tls:
        if server.first("client_max_body_size"):
            return nginxconf.bytes_of(server.first("client_max_body_size"))
    general = from_http(trees, "client_max_body_size")
    return nginxconf.bytes_of(" ".join(general.values)) if general else None


def certificates(servers, trees):
    pairs = []
    for server in servers:
        keys = server.all("ssl_certificate_key")
        for i, directive in enumerate(server.all("ssl_certificate")):
            if i < len(keys):
                pairs.append((" ".join(directive.values), " ".join(keys[i].values)))
    if not pairs and from_http(trees, "ssl_certificate"):
        pairs.append(tuple(" ".join(from_http(trees, n).values) for n in ("ssl_certificate", "ssl_certificate_key")))
    return [certificate(*(absolute(path) for path in pair)) for pair in dict.fromkeys(pairs)]


def absolute(path):
    return path if path.startswith("/") else os.path.join("/etc/nginx", path)


def certificate(cert, key):
    answer = {"cert": cert, "key": key, "exists": os.path.isfile(cert) and os.path.isfile(key),
              "matches": None, "names": [], "notAfterMs": None, "issuer": None}  # fmt: skip
    if not answer["exists"]:
        return answer
    shown = run(["openssl", "x509", "-in", cert, "-noout", "-enddate", "-issuer", "-nameopt", "RFC2253", "-ext", "subjectAltName"])
    end = re.search(r"notAfter=(.+)", shown)
    issuer = re.search(r"issuer=\s*(.+)", shown)
    seconds = time.mktime(time.strptime(end[1].strip(), "%b %d %H:%M:%S %Y GMT")) - time.timezone if end else None
    answer.update(
        names=re.findall(r"DNS:([^,\s]+)", shown),
        notAfterMs=int(seconds * 1000) if seconds else None,
        issuer=issuer[1].strip() if issuer else None,
        matches=look("key of " + cert, fits, cert, key),
    )
    return answer


def fits(cert, key):
    public = run(["openssl", "x509", "-in", cert, "-noout", "-pubkey"])
    return public.strip() == run(["openssl", "pkey", "-in", key, "-pubout"]).strip()
