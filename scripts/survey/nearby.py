"""What the app uses on its own host besides database and Redis: on another server none of it answers."""

import ipaddress
from urllib.parse import urlsplit

from probe import Unreadable, run

# Variables that name a server, by the switch that they need ("": none).
SERVERS = {
    "": ("BULK_SMTP_SERVER", "http_proxy", "LIBRE_TRANSLATE_ENDPOINT", "STATSD_ADDR")
    + ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    "S3_ENABLED": ("S3_ENDPOINT",),
    "SWIFT_ENABLED": ("SWIFT_AUTH_URL",),
    "LDAP_ENABLED": ("LDAP_HOST",),
    "CAS_ENABLED": ("CAS_URL",),
    "OIDC_ENABLED": ("OIDC_ISSUER",),
}  # fmt: skip


def services(env, own=()):
    """A line for each variable that leads to this host; Elasticsearch and proxies to Tor have findings of their own. No value is told as a whole: a proxy's has a password.

    own: addresses of this host. They count for mail alone: from elsewhere they answer too, but a mail server sends for strangers no more.
    """
    local = mail(env, own)
    found = [local] if local else []
    bulk = env.get("BULK_SMTP_SERVER", "")
    if not is_here(bulk) and not env.get("BULK_SMTP_LOGIN") and is_own(bulk, own):
        found.append(line("BULK_SMTP_SERVER", bulk))
    for switch, names in SERVERS.items():
        if switch and env.get(switch) != "true":
            continue
        # Mastodon's own default for LDAP_HOST is localhost; of the others each is off without a value.
        found += [line(name, env.get(name)) for name in names if is_here(env.get(name) or ("localhost" if name == "LDAP_HOST" else ""))]
    # It asks this host's own accounts.
    return found + (["PAM_ENABLED is true"] if env.get("PAM_ENABLED") == "true" else [])


def mail(env, own=()):
    """Rails' default is smtp, and a server that is not named is localhost. One at this host's own address serves others by login."""
    method, server = env.get("SMTP_DELIVERY_METHOD") or "smtp", env.get("SMTP_SERVER") or "localhost"
    if method == "smtp" and (is_here(server) or not env.get("SMTP_LOGIN") and is_own(server, own)):
        return line("SMTP_SERVER", env.get("SMTP_SERVER"))
    return "SMTP_DELIVERY_METHOD is sendmail" if method == "sendmail" else None


def line(name, value):
    return "%s is %s" % (name, host_of(value) if value else "not set")


def host_of(value):
    """The host of a URL, of host:port or of a bare host; a socket's path as it is; "" for what is none of them."""
    if value.startswith(("/", "unix:")):
        return value
    if "//" not in value:
        value = "//" + ("[%s]" % value if value.count(":") > 1 and "[" not in value else value)
    try:
        return urlsplit(value).hostname or ""
    except ValueError:
        return ""


def is_here(value):
    host = host_of(value)
    if host.startswith(("/", "unix:")) or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def is_own(value, own):
    """Whether it is one of this host's addresses, or a name of one or of its loopback (Debian's 127.0.1.1)."""
    return any(address in own or is_here(address) for address in addresses_of(host_of(value))) if own else False


def addresses_of(host):
    """What a name leads to, an address to itself; nothing where nobody says so within 2 s."""
    try:
        return {line.split()[0] for line in run(["getent", "ahosts", host], 2).splitlines()} if host else set()
    except Unreadable:
        return set()
