"""A Mastodon that runs by Docker Compose: its project, told by the labels that Compose gives its containers."""

import json
import os
import re
import shutil

import dotenv
import mastodon
import mastodon_env
from probe import Unreadable, look, run

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
FOLDER, FILES = PROJECT + ".working_dir", PROJECT + ".config_files"
KINDS = (("sidekiq", r"\bsidekiq\b"), ("web", r"\bpuma\b|\brails s(erver)?\b"), ("streaming", r"\bstreaming\b"))


def engine():
    found = next((name for name in ("docker", "podman") if shutil.which(name)), None)
    if not found:
        raise Unreadable("neither docker nor podman is installed")
    return found


def containers(name):
    """What the engine knows of every container that Compose made."""
    listed = run([name, "ps", "--all", "--quiet", "--filter", "label=" + SERVICE], 8).split()
    return json.loads(run([name, "inspect", *listed], 8)) if listed else []


def kind_of(container):
    config = container.get("Config") or {}
    words = [w for part in (config.get("Entrypoint"), config.get("Cmd")) for w in ([part] if isinstance(part, str) else part or [])]
    return next((kind for kind, pattern in KINDS if re.search(pattern, " ".join(words))), None)


def compose():
    """The project of the first web container, with its services by kind; None where there is no such project."""
    name = engine()
    everything = containers(name)
    everything = [c for c in everything if label(c, "com.docker.compose.oneoff") != "True"]
    web = next((c for c in everything if kind_of(c) == "web"), None)
    if not web:
        return None
    folder, project = label(web, FOLDER), label(web, PROJECT)
    mine = [c for c in everything if label(c, PROJECT) == project]
    database = next((c for c in mine if "postgres" in json.dumps((c.get("Config") or {}).get("Cmd"))), None)
    services = {kind: [] for kind, _ in KINDS}
    for container in mine:
        kind = kind_of(container)
        if kind and label(container, SERVICE) not in services[kind]:
            services[kind].append(label(container, SERVICE))
    media = next((m["Source"] for m in web.get("Mounts", []) if m.get("Destination", "").endswith("/public/system")), None)
    return {
        "dir": folder, "files": [os.path.join(folder, f) for f in label(web, FILES).split(",") if f], "project": project,
        "cli": "docker compose" if name == "docker" else "podman-compose", "services": services, "media": media,
        "database": label(database, SERVICE) if database else "db", "db": database and database.get("Id"),
        "webAddress": (published(web) or ["127.0.0.1:3000"])[0],
        "streamingAddresses": [a for c in mine if kind_of(c) == "streaming" for a in published(c)] or ["127.0.0.1:4000"],
        "active": bool((web.get("State") or {}).get("Running")), "image": (web.get("Config") or {}).get("Image", ""), "web": web.get("Id"), "engine": name,
    }  # fmt: skip


def published(container):
    """Where this host reaches a container's ports, also while it does not run."""
    ports = (container.get("HostConfig") or {}).get("PortBindings") or {}
    bound = [b for bindings in ports.values() for b in bindings or [] if b.get("HostPort")]
    return ["%s:%s" % ("127.0.0.1" if b.get("HostIp") in (None, "", "0.0.0.0", "::") else b["HostIp"], b["HostPort"]) for b in bound]


def label(container, name):
    return ((container.get("Config") or {}).get("Labels") or {}).get(name, "")


def installation(settings):
    """(the document's `mastodon`, the app's variables), as mastodon.mastodon tells them of units; (None, {}) where there is none."""
    found = compose()
    if not found:
        return None, {}
    path = os.path.join(found["dir"], ".env.production")
    found["envFormat"] = env_format(found["cli"])
    values = dotenv.read(path, found["envFormat"])
    told = {name: value for name, value in values.items() if mastodon.PLAIN.fullmatch(name)}
    salt = settings.get("salt")
    hashes = {n: dotenv.fingerprint(salt, n, v) for n, v in values.items() if salt and v and not mastodon.PLAIN.fullmatch(n)}
    owner = look("user of the container", user_in, found, default=(991, 991))
    return {
        "version": look("Mastodon's version", version, found, default=""),
        "dir": found["dir"], "realDir": found["dir"], "user": "mastodon", "uid": owner[0], "gid": owner[1], "home": found["dir"], "appBytes": None, "git": None, "stamp": None,
        # Where database and Redis are, the services say, and not the variables.
        "env": {"path": path, "keys": sorted(values), "values": told, "hashes": hashes, "database": None, "redis": [], "nearby": [], "shadows": []},
        "units": {kind: [unit(name, found) for name in names] for kind, names in found["services"].items()}, "encryptedRows": None,
        "compose": {k: found[k] for k in ("dir", "files", "project", "cli", "envFormat", "database", "media", "webAddress", "streamingAddresses")},
        "psql": psql_in(found, mastodon_env.database(values)["user"]),
    }, values  # fmt: skip


def env_format(cli):
    """`compose` where Docker Compose v2 or later reads the env file; podman-compose and v1, under whatever name, take values as they stand."""
    todays = cli == "docker compose" and run([*cli.split(), "version"]).startswith("Docker Compose version")
    return "compose" if todays else "verbatim"


def unit(name, found):
    state = "active" if found["active"] else "inactive"
    return {
        "name": name, "active": state, "enabled": "enabled", "queues": [], "custom": False,
        "program": "", "environmentFiles": [], "needs": [], "listening": [],
    }  # fmt: skip


def inside(found, *command):
    return run([found["engine"], "exec", found["web"], *command], 8)


def psql_in(found, user):
    """psql's command in the database's container, without the database's name; None where there is no such container."""
    return [found["engine"], "exec", "-i", found["db"], "psql", "-XAtq", "-U", user] if found["db"] else None


def user_in(found):
    return int(inside(found, "id", "-u")), int(inside(found, "id", "-g"))


def version(found):
    """By the image's tag, which the official images carry; else by the code in it."""
    tag = re.search(r":v?(\d+\.\d+\.\d+\S*)$", found["image"])
    if tag:
        return tag[1]
    text = inside(found, "cat", "lib/mastodon/version.rb")
    numbers = [re.search(r"def %s\s+(?:return\s+)?(\d+)" % part, text) for part in ("major", "minor", "patch")]
    if not all(numbers):
        raise Unreadable("no version in the image %s" % found["image"])
    return ".".join(match[1] for match in numbers)
