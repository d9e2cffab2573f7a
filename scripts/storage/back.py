"""back.py SETTINGS all|changed: on the way back, brings to the disk what the bucket has and the disk has not.

all:     compares both, in order and a page at a time; what was deleted from the bucket since the switch, and what no row stands
         for any more, goes from the disk too.
changed: only what rows say has changed since the last `all` began.

Whom a file may be read by is told by the rows: what suspended accounts have posted is its owner's alone, as Mastodon keeps it on
a disk. Who was suspended since the switch has private objects, and files of which nobody was told.
"""

import fcntl
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import rowkeys  # noqa: E402

OVERLAP = 300
BEGAN = objects.KNOWN + "/back"


class Back:
    def __init__(self, media):
        self.media, self.got, self.dropped = media, 0, 0
        self.half = os.path.join(media.root, ".trunkline-half")
        self.owner = int(media.settings["APP_UID"]), int(media.settings["APP_GID"])

    def all(self):
        began, batch = time.time(), {}
        switched = float(read(objects.KNOWN + "/switched") or began)
        ends = objects.merge(self.media.files(), self.media.store.list())
        pairs = ((key, here, there) for key, here, there in ends)
        rows = objects.merge(rowkeys.sorted_rows(self.media), rowkeys.sorted_hidden(self.media))
        for key, pair, told in objects.merge(pairs, rows):
            here, there = (pair[1], pair[2]) if pair else (None, None)
            row, hidden = (told[1], bool(told[2])) if told else (None, False)
            if there and not here and self.media.wanted(key):
                batch[key] = hidden
            elif here and not there and not row and self.was_deleted(key, here[1], switched):
                os.unlink(self.media.path(key))
                self.dropped += 1
            elif here and row and posted(key):
                self.set_mode(key, hidden)
            if len(batch) >= objects.CHUNK_FILES:
                self.fetch(batch)
                batch = {}
        self.fetch(batch)
        with open(BEGAN, "w", encoding="utf-8") as file:
            file.write("%f" % began)

    def was_deleted(self, key, found, switched):
        """It was in the bucket at the switch, and neither the bucket nor a row knows it any more."""
        return not self.media.withheld(key, found) and found.st_ctime < switched - OVERLAP

    def changed(self):
        since, rows = float(read(BEGAN)) - OVERLAP, self.media.rows()
        keys = (key for key in rows.keys(since) if self.media.wanted(key) and objects.storable(key))
        lacking = dict.fromkeys((key for key in keys if self.media.stat(key) is None), False)
        for key in rows.posted(rowkeys.HIDDEN):
            self.set_mode(key, True)
            if key in lacking:
                lacking[key] = True
        self.fetch(lacking)
        # Mastodon notes when it ends a suspension only as the account's last change.
        for key in rows.posted("suspended_at IS NULL AND updated_at >= (to_timestamp(%f) AT TIME ZONE 'UTC')" % since):
            self.set_mode(key, False)

    def set_mode(self, key, hidden):
        """Of a file that is there, and that others may read though they must not, or the other way."""
        found = self.media.stat(key)
        if found and hidden == bool(found.st_mode & 0o044):
            os.chmod(self.media.path(key), mode_of(hidden))

    def fetch(self, keys):
        """`keys`: each with whether it is hidden. Beside the media first, then in its place with its owner and its rights: no
        reader sees half a file."""
        if not keys:
            return
        names = "%s/storage-back.files" % objects.RUN
        with open(names, "w", encoding="utf-8") as file:
            file.writelines(key + "\n" for key in keys)
        # Nobody reads there what the rows hide.
        os.makedirs(self.half, mode=0o700, exist_ok=True)
        command = ["rclone", "--config", objects.CONF, "copy", "store:" + self.media.settings["BUCKET"], self.half, "--files-from-raw", names, "--no-traverse",
                   "--use-server-modtime", "--retries", "5", "--low-level-retries", "10", "--transfers", "16", "--checkers", "16",
                   "--use-json-log", "--stats", "5s", "--stats-one-line", "--stats-log-level", "NOTICE"]  # fmt: skip
        objects.run_rclone(command, lambda text: print(text, file=sys.stderr))
        for key, hidden in keys.items():
            self.place(key, hidden)
        subprocess.run(["rm", "-rf", "--one-file-system", self.half], check=True)
        os.remove(names)

    def place(self, key, hidden):
        half = os.path.join(self.half, key)
        if not os.path.isfile(half):
            return  # deleted meanwhile, or a row of which not even the bucket has a file
        self.make_folder(os.path.dirname(self.media.path(key)))
        os.chown(half, *self.owner)
        os.chmod(half, mode_of(hidden))
        os.replace(half, self.media.path(key))
        self.got += 1

    def make_folder(self, folder):
        """With those above it. The app makes folders at the same time, and writes into ours: one is its own before it is in its place, and
        takes the place of none that holds anything."""
        if os.path.isdir(folder):
            return
        self.make_folder(os.path.dirname(folder))
        made = os.path.join(self.half, ".folder")
        os.makedirs(made, mode=0o755, exist_ok=True)
        os.chown(made, *self.owner)
        try:
            os.rename(made, folder)
        except OSError:
            if not os.path.isdir(folder):
                raise


def posted(key):
    """Whether suspension changes who may read it: avatars, archives and all else stay as they are."""
    return objects.class_of(key) == "media_attachments"


def mode_of(hidden):
    return 0o600 if hidden else 0o644


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def main(path, what):
    # A run that was cut off may leave this going: two would take each other's half files away.
    alone = open(objects.RUN + "/storage-back.lock", "w", encoding="utf-8")
    fcntl.flock(alone, fcntl.LOCK_EX)
    back = Back(objects.Media(path))
    try:
        back.media.here()
        {"all": back.all, "changed": back.changed}[what]()
    except objects.Failed as why:
        sys.exit("the store did not give its files back: %s" % why)
    except objects.Away as why:
        sys.exit(str(why))
    print(json.dumps({"got": back.got, "dropped": back.dropped}), file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
