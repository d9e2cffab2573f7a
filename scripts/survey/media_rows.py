"""Media as the rows tell them, and how the disk compares: by class, within a few seconds or as far as those reach."""

import os
import time

import keys

# Above so many files those without a row are counted, not named: a set of all keys would take too much memory.
NAMED = 100_000


class TooLong(Exception):
    """There was no time to come to the end."""


def compare(root, psql, files, seconds=4):
    """The document's part. `files` is how many there are on the disk, None where that is not known."""
    end = time.monotonic() + seconds
    answer = {"classes": {}, "suspended": 0, "withoutFile": 0, "withoutRow": None, "examples": {"withoutFile": [], "withoutRow": []}}
    found, seen = 0, set()
    looking = files is not None
    for number, (key, size) in enumerate(keys.Rows(psql).sized()):
        if number % 500 == 0 and time.monotonic() > end:
            if time.monotonic() > end + seconds:
                raise TooLong("more rows than there was time for")
            looking = False
        sums = answer["classes"].setdefault(key.split("/", 1)[0], {"bytes": 0, "files": 0})
        sums["files"] += 1
        sums["bytes"] += size or 0
        if looking:
            there = look_at(root, key)
            if there is None:
                answer["withoutFile"] += 1
                example(answer, "withoutFile", key)
            else:
                found += 1
                answer["suspended"] += not there.st_mode & 0o044
                if files <= NAMED:
                    seen.add(key)
    if not looking:
        answer["withoutFile"] = None
    else:
        answer["withoutRow"] = max(0, files - found)
        if answer["withoutRow"] and files <= NAMED:
            name_strangers(root, seen, answer, end + seconds)
    return answer


def look_at(root, key):
    try:
        return os.stat(os.path.join(root, key))
    except (OSError, ValueError):
        return None


def example(answer, what, key):
    if len(answer["examples"][what]) < 5:
        answer["examples"][what].append(key)


def name_strangers(root, seen, answer, end):
    for folder, _, names in os.walk(root):
        for name in names:
            key = os.path.relpath(os.path.join(folder, name), root)
            if key not in seen:
                example(answer, "withoutRow", key)
        if len(answer["examples"]["withoutRow"]) == 5 or time.monotonic() > end:
            return
