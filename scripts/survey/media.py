"""Media files: where they lie, and how much there is of them."""

import os
import re
import subprocess
import time

import machine
import media_rows
from probe import Unreadable, look, note, read, run

# Bytes and files as the rows tell them, where counting the files takes too long.
ROWS = """SELECT class || ' ' || bytes || ' ' || files FROM (
 SELECT CASE WHEN remote_url <> '' THEN 'cache' ELSE 'media_attachments' END AS class,
  coalesce(sum(file_file_size), 0)::bigint AS bytes, 2 * count(file_file_name) AS files FROM media_attachments GROUP BY 1
 UNION ALL SELECT CASE WHEN domain IS NULL THEN 'accounts' ELSE 'cache' END,
  coalesce(sum(avatar_file_size), 0)::bigint + coalesce(sum(header_file_size), 0)::bigint, count(avatar_file_name) + count(header_file_name)
  FROM accounts GROUP BY 1
 UNION ALL SELECT 'cache', coalesce(sum(image_file_size), 0)::bigint, count(image_file_name) FROM preview_cards
) rows"""


def media(app, env):
    """Where the files lie, and their number where it can be counted in time."""
    folder = env.get("PAPERCLIP_ROOT_PATH") or "public/system"
    folder = os.path.normpath(os.path.join(app, folder.replace(":rails_root", app)))
    # A link of the admin's to another disk stays a link; the files are where it leads.
    folder = os.path.realpath(folder) if os.path.islink(folder) else folder
    store = next((s for s in ("s3", "swift", "azure") if env.get(s.upper() + "_ENABLED") == "true"), "local")
    real = os.path.realpath(folder)
    mount = machine.mount_of(machine.nearest(folder))
    answer = {
        "dir": folder, "realDir": real, "store": store, "exists": os.path.isdir(real), "bytes": None, "files": None,
        "classes": {}, "mount": mount["mount"], "fsType": mount["fsType"], "expected": expected(real),
    }  # fmt: skip
    if answer["exists"] and store == "local":
        take(answer, count(real, 3))
    return answer


def from_rows(answer, settings, server, database):
    """Adds what only the rows tell: sizes, where there are too many files to count, and what is amiss.

    `server`: psql's command without a database; `database`: None where it can't be read.
    """
    if answer["exists"] and answer["store"] == "local":
        counted = answer["files"]
        if counted is None:
            take(answer, estimate(server, database))
        if settings.get("mediaRows") and database:
            rows = look("media, row by row", by_rows, answer["realDir"], server, database, counted)
            answer.update({"rows": rows} if rows else {})


def take(answer, classes):
    if classes is not None:
        answer["classes"] = classes
        answer["bytes"] = sum(c["bytes"] for c in classes.values())
        answer["files"] = sum(c["files"] for c in classes.values())


def by_rows(root, server, database, counted):
    try:
        return media_rows.compare(root, [*server, "-v", "ON_ERROR_STOP=1", "-d", database], counted)
    except (RuntimeError, media_rows.TooLong) as why:
        raise Unreadable(str(why)) from None


def count(root, seconds):
    """Bytes and files by first folder; None when it takes longer than it may."""
    end, classes = time.monotonic() + seconds, {}
    waiting = [(entry.name, entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    while waiting:
        name, path = waiting.pop()
        sums = classes.setdefault(name, {"bytes": 0, "files": 0})
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                waiting.append((name, entry.path))
            else:
                sums["bytes"] += entry.stat(follow_symlinks=False).st_size
                sums["files"] += 1
        if time.monotonic() > end:
            return None
    return classes


def estimate(server, database):
    note("media", "too many files to count in time: sizes are estimated from the database's rows")
    if not database:
        return None
    try:
        shown = run([*server, "-d", database, "-c", ROWS], 8)
    except Unreadable as why:
        note("media, from rows", why)
        return None
    classes = {}
    for name, size, files in (line.split() for line in shown.splitlines()):
        sums = classes.setdefault(name, {"bytes": 0, "files": 0})
        sums["bytes"] += int(size)
        sums["files"] += int(files)
    return classes


def expected(path):
    """The mount that fstab or a unit names for the media, whether it is there or not."""
    places = []
    for line in read("/etc/fstab").splitlines() if os.path.exists("/etc/fstab") else []:
        fields = line.split()
        if len(fields) > 2 and not line.lstrip().startswith("#"):
            places.append((re.sub(r"\\040", " ", fields[1]), "/etc/fstab: " + fields[0]))
    try:
        shown = run(["systemctl", "show", "--property=Where,Id", "--", *mount_units()])
    except Unreadable:
        shown = ""
    for part in shown.split("\n\n"):
        fields = dict(line.split("=", 1) for line in part.strip().splitlines() if "=" in line)
        if fields.get("Where"):
            places.append((fields["Where"], fields.get("Id", "")))
    fitting = [p for p in places if p[0] not in ("/", "none") and (path + "/").startswith(p[0].rstrip("/") + "/")]
    if not fitting:
        return None
    mount, what = max(fitting, key=lambda p: len(p[0]))
    return {"mount": mount, "what": what, "mounted": os.path.ismount(mount)}


def mount_units():
    folder = "/etc/systemd/system"
    found = [name for name in os.listdir(folder) if name.endswith((".mount", ".automount"))]
    if not found:
        raise Unreadable("no mount units")
    return found
