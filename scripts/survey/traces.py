"""What of Trunkline is on this host, whichever step left it."""

import glob
import json
import os
import pwd
import socket

import redis
import storage
from probe import look, properties, read, run

STATE = "/var/lib/trunkline"


def traces(settings, login, app, env, pg, site, where):
    media = look("media's way to object storage", storage.traces, env)
    return {
        "paths": [path for path in ("/opt/trunkline", "/etc/trunkline", STATE) if os.path.exists(path)],
        "keys": look("authorized_keys", keys, login, default=[]),
        "roles": pg["roles"] if pg else [],
        "slots": [slot["name"] for slot in pg["slots"] if slot["name"].startswith("trunkline")] if pg else [],
        "hba": bool(pg and pg["hba"]),
        "units": look("Trunkline's units", units, default={}),
        "proxy": look("the site", is_proxy, site, default=False),
        "appStopped": app_stopped(app),
        "sidekiqQuiet": bool(app and where and look("Sidekiq's processes", sidekiq_quiet, app, where, default=False)),
        "journal": look("the switchover's journal", journal),
        "appInstalled": bool(app and app["version"] and os.path.exists(STATE + "/source.env")),
        "backup": look("pgBackRest's configuration", has_backup, default=False),
        "retired": os.path.exists(STATE + "/retired"),
        **({"storage": media} if media else {}),
    }


def keys(login):
    home = pwd.getpwnam(login["user"]).pw_dir
    found = []
    for path in glob.glob(os.path.join(home, ".ssh/authorized_keys*")) + glob.glob("/etc/ssh/authorized_keys/*"):
        lines = [line.split() for line in read(path).splitlines()]
        found += [" ".join(words[-3:]) for words in lines if words and words[-1] in ("trunkline-tunnel", "trunkline-read")]
    return found


def units():
    listed = run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "trunkline-*"])
    files = run(["sh", "-c", "systemctl list-unit-files --no-legend --plain 'trunkline-*' || true"])
    names = {line.split()[0] for line in (listed + files).splitlines() if line.split()}
    names = sorted(name for name in names if not name.split(".")[0].endswith("@"))
    return {name: unit.get("ActiveState", "unknown") for name, unit in properties(names, ["ActiveState"]).items()}


def is_proxy(site):
    return any("Made by Trunkline: the source as proxy" in read(path) for path in (site or {}).get("sites", []))


def app_stopped(app):
    found = [unit for kind in app["units"].values() for unit in kind] if app else []
    return bool(found) and all(u["enabled"] == "masked" and u["active"] in ("inactive", "failed") for u in found)


def sidekiq_quiet(app, where):
    if os.path.exists(STATE + "/sidekiq.was"):
        return True
    if app.get("compose"):
        return False
    if not any(unit["active"] == "active" for unit in app["units"]["sidekiq"]):
        return False
    return bool(redis.quiet(where, socket.gethostname()))


def has_backup():
    path = "/etc/pgbackrest.conf"
    return os.path.exists(path) and "Made by Trunkline" in read(path)


def journal():
    path = STATE + "/switchover.jsonl"
    if not os.path.exists(path):
        return None
    entries = []
    for line in read(path).splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue  # a line cut off by a power loss
    if not entries:
        return None
    last = entries[-1]
    return {
        "direction": last.get("direction"),
        "step": str(last.get("name") or last.get("n") or last["event"]),
        "done": last["event"] in ("done", "undone"),
        "promoted": promoted(entries),
    }


def promoted(entries):
    """Whether the last move that came past the point of no return, and was not undone from there, brought the data here."""
    here = before = False
    for entry in entries:
        if entry["event"] == "start":
            before = here
        elif entry["event"] == "undone":
            here = before
        elif entry.get("name") == "promote":
            here = entry.get("direction") == "forward"
    return here
