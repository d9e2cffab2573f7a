"""Reads one host and prints what it found as one JSON document (its shape: survey/raw.ts). Nothing is written.

It is sent over stdin, so that not even a file is left there: SETTINGS and MODULES (the text of the other files here
and of lib/) come first. Run from its own folder, with SETTINGS as JSON on stdin, it takes its modules from there.
"""

import importlib.abc
import importlib.util
import json
import os
import re
import shutil
import sys


class Sent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules that were sent along."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in MODULES else None

    def exec_module(self, module):
        exec(compile(MODULES[module.__name__], module.__name__ + ".py", "exec"), module.__dict__)


if "MODULES" in globals():
    sys.meta_path.insert(0, Sent())
else:
    SETTINGS = json.load(sys.stdin)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:0] = [here, os.path.join(here, "../lib"), os.path.join(here, "../media")]
sys.dont_write_bytecode = True

import beside  # noqa: E402
import compose  # noqa: E402
import listening  # noqa: E402
import machine  # noqa: E402
import mastodon  # noqa: E402
import media  # noqa: E402
import nginx  # noqa: E402
import postgres  # noqa: E402
import psql  # noqa: E402
import redis  # noqa: E402
import site_parts  # noqa: E402
import traces  # noqa: E402
from probe import look, starting, together, unread  # noqa: E402


def survey(settings):
    units = look("units", mastodon.candidates, default={})
    app, env = look("mastodon", mastodon.mastodon, settings, units, default=(None, {}))
    if not app and (shutil.which("docker") or shutil.which("podman")):
        app, env = look("Docker Compose", compose.installation, settings, default=(None, {}))
    local = env.get("LOCAL_DOMAIN") or settings.get("domain") or ""
    names = [env.get("WEB_DOMAIN") or local, local, *re.split(r"\s*,\s*", env.get("ALTERNATE_DOMAINS", ""))]
    names = list(dict.fromkeys(name.lower() for name in names if name))
    inside = app and app.get("compose")
    in_container = app.pop("psql") if inside else None
    where_app = [(mastodon.kind_of(n, u), n, u.get("Environment", "")) for n, u in units.items()]
    addresses = (inside["webAddress"], *inside["streamingAddresses"]) if inside else site_parts.app_addresses(where_app)
    media_env = {**env, "PAPERCLIP_ROOT_PATH": inside["media"]} if inside and inside["media"] else env
    seen = together(
        host=("host", machine.host),
        tools=("tools", machine.tools),
        sshd=("sshd", machine.sshd),
        postgres=("postgres", postgres.postgres, settings, env, in_container),
        # A Redis in a container is the project's alone.
        redis=("redis", lambda: None) if inside else ("redis", redis.redis, settings, env),
        nginx=("nginx", nginx.nginx, names, app["dir"] if app else "/nonexistent", addresses),
        media=("media", media.media, app["dir"], media_env) if app else ("media", lambda: None),
        jobs=("jobs by the clock", beside.jobs, app) if app else ("jobs by the clock", lambda: None),
        backups=("backups by the clock", beside.backups) if app else ("backups by the clock", lambda: None),
        heard=("who else listens", listening.outward, app) if app else ("who else listens", lambda: None),
        peer=("round trip", machine.peer, settings["peer"]) if settings.get("peer") else ("round trip", lambda: None),
    )
    pg = seen["postgres"]
    if app:
        database = pg["database"]["name"] if pg and pg["database"] else None
        server = in_container or psql.here(pg["port"] if pg else 5432)
        if seen["media"]:
            look("media", media.from_rows, seen["media"], settings, server, database)
        app["encryptedRows"] = pg["encryptedRows"] if pg else None
        app["beside"] = beside.beside(env, seen["nginx"], seen["jobs"], seen["backups"], seen["heard"])
    login = seen["host"]["login"] if seen["host"] else machine.login()
    where = look("Sidekiq's Redis", redis.address_of, settings, env)
    trunkline = traces.traces(settings, login, app, env, pg, seen["nginx"], where)
    places = ["/", pg and pg["dataDir"], app and app["dir"], seen["media"] and seen["media"]["realDir"], traces.STATE]
    for name in ("encryptedRows", "roles", "hba"):
        if pg:
            pg.pop(name)
    return {
        "format": 1, "side": settings["side"], "host": seen["host"], "tools": seen["tools"] or {},
        "disks": look("disks", machine.disks, [p for p in places if p], default=[]), "sshd": seen["sshd"], "mastodon": app,
        "postgres": pg, "redis": seen["redis"], "media": seen["media"], "nginx": seen["nginx"], "trunkline": trunkline,
        "peer": seen["peer"], "starting": starting, "unread": unread,
    }  # fmt: skip


print(json.dumps(survey(SETTINGS)))
