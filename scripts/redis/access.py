"""How the app logs in to Redis, from its .env.production: JSON with user, password and the databases of app and queues.

usage: access.py ENV_FILE
"""

import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dotenv  # noqa: E402


def login(env, prefix=""):
    """User, password and database of one of Mastodon's Redis roles; the base ones stand in where a role sets nothing."""
    url = env.get(f"{prefix}REDIS_URL")
    if url:
        parts = urllib.parse.urlsplit(url)
        decode = urllib.parse.unquote
        return {
            "user": decode(parts.username or ""),
            "password": decode(parts.password or ""),
            "database": int(parts.path.strip("/") or 0),
        }
    if prefix and not any(name.startswith(f"{prefix}REDIS_") for name in env):
        return login(env)
    return {
        "user": env.get(f"{prefix}REDIS_USER", ""),
        "password": env.get(f"{prefix}REDIS_PASSWORD", ""),
        "database": int(env.get(f"{prefix}REDIS_DB") or 0),
    }


def main():
    env = dotenv.read(sys.argv[1])
    app, queues = login(env), login(env, "SIDEKIQ_")
    user = "" if app["user"] == "default" else app["user"]
    print(json.dumps({"user": user, "password": app["password"], "database": queues["database"]}))


main()
