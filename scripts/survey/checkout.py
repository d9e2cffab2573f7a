"""The app's folder as a git checkout: what it is of, and what in it is this server's own."""

import os
import re

from probe import Unreadable, note, run

# What an installation makes by itself, and what is carried in other ways.
MADE = re.compile(
    r"(node_modules|vendor|log|tmp|coverage|streaming/node_modules|\.bundle|\.yarn|\.rbenv|\.cache|\.env[^/]*|public/(system|packs|packs-test|assets))(/.*)?"
)
MANY = 50


def checkout(path, user):
    """None where it is none, or none that git can read."""
    if not os.path.exists(os.path.join(path, ".git")):
        return None

    def git(*words):
        # As the app's user, whose folder it is: git trusts no other, and what the folder's configuration runs is not run by root.
        own = ["env", "HOME=/nonexistent", "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", path]
        return run(["runuser", "-u", user, "--", *own, *words])

    try:
        return told(git)
    except Unreadable as why:
        # It matters only where the app is installed anew: a slow git is no reason to look at everything once more.
        note("the app's git checkout", str(why).replace("took longer than", "no answer within"))
        return None


def told(git):
    """Paths beyond the first 50 are left out, but counted."""
    changed, own = [], []
    status = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--ignored=matching")
    for entry in filter(None, status.split("\0")):
        kind, name = entry[:2], entry[3:]
        if kind not in ("??", "!!"):
            changed.append(name)
        elif not MADE.fullmatch(name.rstrip("/")):
            own.append(name)
    return {
        "origin": origin(git),
        "head": git("rev-parse", "--verify", "HEAD").strip(),
        "published": not git("rev-list", "--max-count=1", "HEAD", "--not", "--remotes", "--tags").strip(),
        "changed": sorted(changed)[:MANY], "own": sorted(own)[:MANY], "count": len(changed) + len(own),
    }  # fmt: skip


def origin(git):
    """Without the password that an address may hold."""
    try:
        return re.sub(r"(?<=://)[^@/]*@", "", git("config", "--get", "remote.origin.url").strip())
    except Unreadable:
        return None
