"""How far the media have gone to object storage on this host, whichever step left it."""

import json
import os

from probe import read

KNOWN = "/var/lib/trunkline/storage"


def traces(env):
    """None where nothing of it is here and the app keeps its media on the disk."""
    conf = os.path.exists("/etc/trunkline/storage.conf")
    uses = env.get("S3_ENABLED") == "true" and conf
    if not conf and not os.path.isdir(KNOWN):
        return None
    announced = number("announced")
    return {
        "tools": conf, "announced": announced, "begun": known("mark") or os.path.exists("/run/trunkline/storage-copy.progress"),
        "copied": known("copied"), "checked": known("checked"), "links": os.path.exists("/etc/nginx/trunkline/old-links.conf"),
        "switched": uses, "switching": known("switching"), "verified": clean(), "cleaned": known("cleaned"),
    }  # fmt: skip


def known(name):
    return os.path.exists(os.path.join(KNOWN, name))


def number(name):
    try:
        return float(read(os.path.join(KNOWN, name)).split()[0]) if known(name) else None
    except (ValueError, IndexError):
        return None


def clean():
    """A verification that accounted for everything."""
    try:
        found = json.loads(read(os.path.join(KNOWN, "verified"))) if known("verified") else None
    except ValueError:
        return False
    return bool(found) and not found.get("missing") and not found.get("wrong")
