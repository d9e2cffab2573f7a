"""nginx: the site that serves the domain, and its certificates."""

import fnmatch
import glob
import hashlib
import os
import re
import time

import nginxconf
import site_parts
from probe import Unreadable, look, read, run


def nginx(names, app, addresses):
    """`names`: the web domain, then what else may be the instance's own (LOCAL_DOMAIN, ALTERNATE_DOMAINS)."""
    try:
        shown = run(["nginx", "-T"])
    except Unreadable as why:
        if "not installed" in str(why):
            return None
        raise
    files = dict(split(shown))
    tree = nginxconf.load(files.__getitem__, lambda pattern: sorted(p for p in files if matches(p, pattern)))
    site = site_parts.Site(tree, names, app, addresses)
    site.carried()
    also = site.also_lead()
    servers = site.web() + site.companions()
    return {
        "version": look("nginx's version", nginx_version, default=""),
        "active": look("nginx's unit", is_active, default=False),
        "sites": list(dict.fromkeys(os.path.realpath(path) for path in site.files() + [s.file for s in site.mine])),
        "names": site.names(),
        "notCarried": site.left,
        "others": [name for name in site.others() if not any(name in line.split() for line in also)],
        "alsoLead": also,
        "onions": site.onions(),
        "between": site.between(),
        "bodyBytes": site.body(),
        "workers": workers(tree),
        "stamp": hashlib.sha256("\n".join(files[path] for path in site.files()).encode("utf-8", "surrogateescape")).hexdigest(),
        "certificates": look("certificates", certificates, site, servers, default=[]),
    }


def workers(tree):
    """How much a worker may hold at once, as far as it is said."""
    said = {d.name: int(d.values[0]) for d in nginxconf.walk(tree) if d.name in ("worker_connections", "worker_rlimit_nofile") and d.values and d.values[0].isdigit()}
    return {"connections": said.get("worker_connections"), "files": said.get("worker_rlimit_nofile")}


def matches(path, pattern):
    """As a shell would: a star does not go over a slash."""
    return path.count("/") == pattern.count("/") and fnmatch.fnmatch(path, pattern)


def nginx_version():
    # nginx tells its version on stderr.
    return re.search(r"nginx/([\d.]+)", run(["sh", "-c", "nginx -v 2>&1"]))[1]


def is_active():
    return run(["sh", "-c", "systemctl is-active nginx || true"]).strip() == "active"


def split(shown):
    """The files within `nginx -T`."""
    parts = re.split(r"^# configuration file (.+):\n", shown, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def certificates(site, servers):
    pairs = [site.certificate(server) for server in servers]
    lineages = look("certbot's renewals", renewals, default={})
    return [certificate(*(absolute(path) for path in pair), lineages) for pair in dict.fromkeys(filter(None, pairs))]


def renewals():
    """certbot's name of a certificate and its way of proving that a name is ours, by the path of what it renews."""
    found = {}
    for path in glob.glob("/etc/letsencrypt/renewal/*.conf"):
        text = read(path)
        way = re.search(r"^authenticator\s*=\s*(\S+)", text, re.M)
        for line in re.findall(r"^(?:fullchain|cert)\s*=\s*(\S+)", text, re.M):
            found[line] = os.path.basename(path)[: -len(".conf")], way[1] if way else "unknown"
    return found


def absolute(path):
    return path if path.startswith("/") else os.path.join("/etc/nginx", path)


def certificate(cert, key, lineages):
    name, way = lineages.get(cert, (None, None))
    answer = {"cert": cert, "key": key, "exists": os.path.isfile(cert) and os.path.isfile(key),
              "matches": None, "names": [], "notAfterMs": None, "issuer": None, "lineage": name, "renewal": way}  # fmt: skip
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
