"""What Mastodon's variables say about its database and its Redis, whichever of their forms is used."""

from urllib.parse import parse_qs, unquote, urlsplit


def database(env):
    """Host, port, name and user, with Mastodon's own defaults. A host that begins with / is a socket's folder."""
    if env.get("DATABASE_URL"):
        url = urlsplit(env["DATABASE_URL"])
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        return {
            "host": query.get("host") or unquote(url.hostname or "") or "localhost",
            "port": int(query.get("port") or url.port or 5432),
            "name": unquote(url.path.lstrip("/")) or "mastodon_production",
            "user": unquote(url.username or "") or query.get("user") or "mastodon",
        }
    return {
        "host": env.get("DB_HOST") or "localhost",
        "port": int(env.get("DB_PORT") or 5432),
        "name": env.get("DB_NAME") or "mastodon_production",
        "user": env.get("DB_USER") or "mastodon",
    }


def redis(env, prefix=""):
    """Where Redis is ({path} or {host, port}), with user, password, database; prefix: SIDEKIQ_ or CACHE_, falling back to the base."""
    if prefix and not any(env.get(prefix + "REDIS_" + part) for part in ("URL", "HOST", "PORT", "DB")):
        return redis(env)
    if env.get(prefix + "REDIS_URL"):
        return _redis_url(env[prefix + "REDIS_URL"])
    return {
        "host": env.get(prefix + "REDIS_HOST") or "localhost",
        "port": int(env.get(prefix + "REDIS_PORT") or 6379),
        "user": env.get(prefix + "REDIS_USER") or None,
        "password": env.get(prefix + "REDIS_PASSWORD") or None,
        "database": int(env.get(prefix + "REDIS_DB") or 0),
    }


def _redis_url(text):
    url = urlsplit(text)
    common = {
        "user": unquote(url.username or "") or None,
        "password": unquote(url.password or "") or None,
    }
    if url.scheme == "unix":
        number = parse_qs(url.query).get("db", ["0"])[-1]
        return {**common, "path": unquote(url.path), "database": int(number)}
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
