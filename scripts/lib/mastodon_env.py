"""What Mastodon's variables say about its database and its Redis, whichever of their forms is used."""

from urllib.parse import parse_qs, unquote, urlsplit

DATABASE = ("DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "DB_SSLMODE", "PREPARED_STATEMENTS")
REDIS = tuple(prefix + "REDIS_" + part for prefix in ("", "SIDEKIQ_", "CACHE_") for part in ("URL", "HOST", "PORT"))
# What is each host's own: the target's file names its pooler, its Redis and its proxies there.
OWN = (*DATABASE, *REDIS, "TRUSTED_PROXY_IP")


def _url(name, text):
    """The parts of a variable's URL. ValueError names the variable, and not what it says: there may be a password in it."""
    try:
        url = urlsplit(text)
        # Reading the port fails where it is none; and what follows a # is no part of an address.
        if url.port == 0 or url.fragment:
            raise ValueError
        return url
    except ValueError:
        raise ValueError("%s is not a URL that can be read: a # in its password has to be written as %%23, and so on" % name) from None


def _number(name, text):
    try:
        return int(text)
    except ValueError:
        raise ValueError("%s is not a number" % name) from None


def database(env):
    """Host, port, name and user, with Mastodon's own defaults. A host that begins with / is a socket's folder."""
    if env.get("DATABASE_URL"):
        url = _url("DATABASE_URL", env["DATABASE_URL"])
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        return {
            "host": query.get("host") or unquote(url.hostname or "") or "localhost",
            "port": _number("the port in DATABASE_URL", query.get("port") or url.port or 5432),
            "name": unquote(url.path.lstrip("/")) or "mastodon_production",
            "user": unquote(url.username or "") or query.get("user") or "mastodon",
        }
    return {
        "host": env.get("DB_HOST") or "localhost",
        "port": _number("DB_PORT", env.get("DB_PORT") or 5432),
        "name": env.get("DB_NAME") or "mastodon_production",
        "user": env.get("DB_USER") or "mastodon",
    }


def redis(env, prefix=""):
    """Where Redis is ({path} or {host, port}), with user, password, database; prefix: SIDEKIQ_ or CACHE_, falling back to the base."""
    if prefix and not any(env.get(prefix + "REDIS_" + part) for part in ("URL", "HOST", "PORT", "DB")):
        return redis(env)
    if env.get(prefix + "REDIS_URL"):
        return _redis_url(prefix + "REDIS_URL", env[prefix + "REDIS_URL"])
    return {
        "host": env.get(prefix + "REDIS_HOST") or "localhost",
        "port": _number(prefix + "REDIS_PORT", env.get(prefix + "REDIS_PORT") or 6379),
        "user": env.get(prefix + "REDIS_USER") or None,
        "password": env.get(prefix + "REDIS_PASSWORD") or None,
        "database": _number(prefix + "REDIS_DB", env.get(prefix + "REDIS_DB") or 0),
    }


def _redis_url(name, text):
    url = _url(name, text)
    common = {
        "user": unquote(url.username or "") or None,
        "password": unquote(url.password or "") or None,
    }
    if url.scheme == "unix":
        number = parse_qs(url.query).get("db", ["0"])[-1]
        return {**common, "path": unquote(url.path), "database": _number("the db in " + name, number)}
    number = url.path.strip("/")
    if url.scheme == "rediss":
        common["tls"] = True
    return {
        **common,
        "host": url.hostname or "localhost",
        "port": url.port or 6379,
        "database": int(number) if number.isdigit() else 0,
    }


def redis_uses(env):
    """The servers that Mastodon's parts use, by the prefix of their variables: what is shared is told once for each."""
    uses = []
    for prefix in ("", "SIDEKIQ_", "CACHE_"):
        at = redis(env, prefix)
        uses.append({
            "prefix": prefix, "host": at.get("host"), "port": at.get("port"), "path": at.get("path"),
            "database": at["database"], "tls": bool(at.get("tls")),
        })  # fmt: skip
    return uses
