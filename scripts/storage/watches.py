"""The file watch that this host can have: one that sees a whole file system where the kernel and the file system allow it, else
one on every folder, else none, and then the rows have to tell."""

import time

import watch
import watch_fs


class Blind:
    """No watch at all."""

    kind, complete = "rows only", False

    def events(self, seconds):
        time.sleep(seconds)
        return []


def open(root, tell):
    for how in (watch_fs.Watch, watch.Watch):
        try:
            return how(root)
        except (OSError, watch.Full) as why:
            tell("%s: %s %s" % (how.kind, type(why).__name__, why))
    return Blind()


def gather(watching, seconds):
    """Events, and those that follow within a fifth of a second; a flood is taken in parts."""
    try:
        found = watching.events(seconds)
        end = time.monotonic() + 0.2
        while found and len(found) < 50_000 and time.monotonic() < end:
            found += watching.events(0.05)
        return found
    except watch.Full:
        return [("", "lost")]
