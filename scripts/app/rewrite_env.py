"""rewrite_env.py SOURCE_ENV LOGIN: prints the source's .env.production with the host's own variables changed.

LOGIN is the pooler's password file; as long as there is none, login and password stay the source's. Every byte of other variables stays. With --names it prints the names of the variables that it changes.
"""

import os
import re
import sys
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import mastodon_env  # noqa: E402

OWN = mastodon_env.OWN
# What Mastodon trusts as long as TRUSTED_PROXY_IP is not set.
TRUSTED = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def database(env, login, pooler, prepared):
    changes = {} if prepared else {"PREPARED_STATEMENTS": "false"}
    if env.get("DATABASE_URL"):
        return {**changes, "DATABASE_URL": database_url(env["DATABASE_URL"], login, pooler)}
    changes.update(DB_HOST="127.0.0.1", DB_PORT=pooler)
    # A pooler on the source may have had another name for it.
    name = os.environ.get("EDIT_DATABASE") or mastodon_env.database(env)["name"]
    if name != mastodon_env.database(env)["name"]:
        changes["DB_NAME"] = name
    if login:
        changes.update(DB_USER=login[0], DB_PASS=login[1])
    # The pooler speaks plain TCP on loopback; any explicit mode but `disable` would make the streaming server refuse that.
    if "DB_SSLMODE" in env:
        changes["DB_SSLMODE"] = "disable"
    return changes


def database_url(text, login, pooler):
    url = urlsplit(text)
    user, password = login or (mastodon_env.database({"DATABASE_URL": text})["user"], unquote(url.password or ""))
    access = ":".join(quote(part, safe="") for part in (user, password) if part)
    dropped = ("host", "port", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
    query = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] not in dropped]
    path = "/" + quote(os.environ["EDIT_DATABASE"], safe="") if os.environ.get("EDIT_DATABASE") else url.path
    return urlunsplit((url.scheme, "%s@127.0.0.1:%s" % (access, pooler), path, urlencode(query), ""))


def login_in(path):
    """User and password of a pgpass file."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        fields = re.findall(r"((?:\\.|[^:\\])*)(?::|$)", file.read().rstrip("\n"))
    return tuple(re.sub(r"\\(.)", r"\1", field) for field in fields[3:5])


def redis(env, proxy):
    """All Redis settings that mean the source's one server. The survey has refused what means another one."""
    changes = {}
    for prefix in ("", "SIDEKIQ_", "CACHE_"):
        url = env.get(prefix + "REDIS_URL")
        if url:
            changes[prefix + "REDIS_URL"] = redis_url(url, proxy)
        elif not prefix or env.get(prefix + "REDIS_HOST") or env.get(prefix + "REDIS_PORT"):
            changes.update({prefix + "REDIS_HOST": "127.0.0.1", prefix + "REDIS_PORT": proxy})
    return changes


def redis_url(text, proxy):
    url, old = urlsplit(text), mastodon_env.redis({"REDIS_URL": text})
    login = "%s@" % url.netloc.rpartition("@")[0] if "@" in url.netloc else ""
    return "redis://%s127.0.0.1:%s/%d" % (login, proxy, old["database"])


def proxies(env, source):
    """The source stands before the target for a while: its word on who the client is counts."""
    known = env.get("TRUSTED_PROXY_IP", "").replace(",", " ").split() or list(TRUSTED)
    return {"TRUSTED_PROXY_IP": ",".join(dict.fromkeys([*known, "127.0.0.1", *source]))}


def main(source, login):
    with open(source, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    env = dotenv.parse(text)
    changes = {
        **database(env, login_in(login), os.environ["POOLER"], os.environ["EDIT_PREPARED"] == "yes"),
        **redis(env, os.environ["REDIS"]),
        **proxies(env, os.environ["EDIT_PROXIES"].split()),
    }
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    print(dotenv.rewrite(text, changes), end="")


if __name__ == "__main__":
    if sys.argv[1:] == ["--names"]:
        print("\n".join(OWN))
    else:
        main(*sys.argv[1:])
