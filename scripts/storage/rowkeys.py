"""The keys that the rows imply, in the order of a bucket's list: sorted on the disk, so that memory does not grow with their number."""

import os
import subprocess
import threading

import objects

HIDDEN = "suspended_at IS NOT NULL"


def sorted_rows(media, since=None):
    """(key, size or None) of every file that a row stands for, or a row changed since an epoch second. The size is that of the row:
    originals only."""
    return in_order(media, lambda: media.rows().sized(since))


def sorted_hidden(media):
    """(key, None) of every file of an account that is suspended now."""
    return in_order(media, lambda: ((key, None) for key in media.rows().posted(HIDDEN)))


def in_order(media, read):
    # Little memory and many parts: a million keys are 30 of them, and are merged in one go.
    command = ["sort", "--unique", "--buffer-size=4M", "--batch-size=64", "--temporary-directory=" + objects.KNOWN]
    sort = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True, encoding="utf-8", errors="surrogateescape",
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    failed = []

    def feed():
        try:
            for key, size in read():
                if media.wanted(key) and objects.storable(key) and "\t" not in key:
                    sort.stdin.write("%s\t%s\n" % (key, "" if size is None else size))
        except (OSError, RuntimeError) as why:
            failed.append(why)
        finally:
            sort.stdin.close()

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    last = None
    for line in sort.stdout:
        key, _, size = line.rstrip("\n").partition("\t")
        if key != last:
            yield key, int(size) if size else None
        last = key
    feeder.join()
    if sort.wait() or failed:
        raise RuntimeError("the rows could not be read to their end: %s" % (failed[0] if failed else "sort failed"))
