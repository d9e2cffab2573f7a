"""follow.py SETTINGS: the unit that keeps the bucket as the disk is, from before the bulk copy until the media are in the bucket for good.

A file watch tells what changes; it costs what changes, whatever there is. Rows that changed are looked at besides, now and then
and after a gap (a reboot, a kernel that dropped events), and after a gap all is compared once, since what was deleted left no row.
"""

import collections
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import s3  # noqa: E402
import watches  # noqa: E402

# Clocks, commits and files overlap: a row is looked at again until it is this old.
OVERLAP = 300
ROWS_AT_ONCE = 200
REQUEST, ANSWER, STEP = (objects.RUN + name for name in ("/storage-flush", "/storage-flushed", "/storage.step"))


def known(name):
    return os.path.join(objects.KNOWN, name)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def write(path, text):
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


class Follower:
    def __init__(self, media):
        self.media, self.tell = media, objects.teller("storage-follow")
        self.pending = {}  # path → file or gone
        self.gone = set()  # deleted while the bulk copy ran, which may have stored it a moment later
        self.sent = collections.OrderedDict()  # what was stored lately, so that a row is not the reason to store it again
        self.stored = self.removed = 0

    def run(self):
        self.await_root()
        self.mark, began = float(read(known("mark")) or 0), time.time()
        caught = float(read(known("caught")) or self.mark)
        self.watch = watches.open(self.media.root, self.tell)
        if not self.mark:
            self.mark = began
            write(known("mark"), "%f" % began)
        self.caught = caught or began
        self.behind = bool(caught)  # a gap, in which nobody watched
        self.rows_at, self.rows_cost = 0.0, 0.0
        while True:
            self.hear(0.1)
            try:
                self.turn()
            except (s3.StoreError, objects.Failed, OSError, RuntimeError) as why:
                self.tell("waiting: %s" % why)
                time.sleep(2)

    def await_root(self):
        """After a reboot the media may be mounted late: a watch of the folder below would see nothing, and a comparison with it would
        empty the bucket."""
        while True:
            try:
                if not read(known("mark")):
                    self.media.leave_mark()
                return self.media.here()
            except (objects.Away, OSError) as why:
                self.tell("waiting: %s" % why)
                time.sleep(2)

    def hear(self, seconds):
        """What happened; what comes at once is taken together."""
        for path, kind in watches.gather(self.watch, seconds):
            if kind == "lost":
                self.behind, self.rows_at = True, 0.0
            else:
                self.pending[path] = kind

    def turn(self):
        asked, began = read(REQUEST), time.time()
        self.media.here()
        self.hear(0)
        self.work()
        if self.due(asked):
            self.look_at_rows()
        if self.behind and not any(os.path.exists(known(name)) for name in ("switched", "switching")):
            self.compare()
        self.behind = False
        if self.gone and not self.copying():
            gone, self.gone = self.gone, set()
            self.pending.update((path, "gone") for path in gone)
            self.work()
        self.media.here()
        self.caught = began
        self.note(asked)

    def note(self, asked):
        if time.time() - getattr(self, "noted", 0) > 5 or asked != read(ANSWER):
            write(known("caught"), "%f" % self.caught)
            write(STEP, json.dumps({"at": self.caught, "stored": self.stored, "removed": self.removed, "watch": self.watch.kind}))
            self.tell("in step; %d files stored and %d removed since it began (%s)" % (self.stored, self.removed, self.watch.kind))
            self.noted = time.time()
            if asked and not self.pending:
                write(ANSWER, asked)

    def copying(self):
        return not os.path.exists(known("copied"))

    def due(self, asked):
        """With a watch the rows are a net below it; without one they are all there is."""
        wait = max(60, 20 * self.rows_cost) if self.watch.complete else max(2, 10 * self.rows_cost)
        return self.behind or time.time() - self.rows_at > wait or (not self.watch.complete and asked != read(ANSWER))

    def work(self):
        """Brings everything that is pending into the bucket. What fails stays pending."""
        while self.pending:
            part = dict(list(self.pending.items())[: objects.CHUNK_FILES])
            self.store([path for path, kind in part.items() if kind == "file"])
            for path in (path for path, kind in part.items() if kind == "gone"):
                self.remove(path)
            for path, kind in part.items():
                if self.pending.get(path) == kind:
                    del self.pending[path]

    def store(self, paths):
        items = {}
        for key in filter(self.concerns, paths):
            found = self.media.stat(key)
            if found is None:
                self.remove(key)
            elif self.media.withheld(key, found):
                self.media.store.delete(key)
            else:
                items[key] = found
        if not items:
            return
        objects.patiently(self.media, items, self.tell)
        self.stored += len(items)
        for key, found in items.items():
            self.sent[key] = objects.trait(found)
            # One that was written again while it was stored is stored again, without waiting for its event.
            now = self.media.stat(key)
            if now is None or objects.trait(now) != objects.trait(found):
                self.pending[key] = "again"
                self.store([key])
        while len(self.sent) > 20_000:
            self.sent.popitem(last=False)

    def concerns(self, key):
        return objects.storable(key) and self.media.wanted(key) and not key.startswith(".")

    def remove(self, path):
        """A file that is gone, or all of a folder that is. Once the app uses the bucket, the disk has no say in that."""
        if os.path.exists(known("switched")) or not self.concerns(path):
            return
        keys = [key for key, *_ in self.media.store.list(prefix=path)] if path.endswith("/") else [path]
        for key in keys:
            if self.media.stat(key) is None:
                self.media.here()
                self.media.store.delete(key)
                self.removed += 1
        if self.copying():
            self.gone.add(path)

    def look_at_rows(self):
        """Files of rows that changed since the last look, so far as the watch has not told of them. What was there before the first
        watch is the bulk copy's; and what happens meanwhile does not wait until all is stored."""
        since, began, clock = (self.rows_at or self.caught) - OVERLAP, time.time(), time.monotonic()
        oldest = max(since, self.mark - 1)
        wanted = []
        for key in self.media.rows().keys(since):
            found = self.media.stat(key) if self.concerns(key) else None
            if found and found.st_ctime >= oldest and self.sent.get(key) != objects.trait(found):
                wanted.append(key)
                if len(wanted) >= ROWS_AT_ONCE:
                    self.store(wanted)
                    wanted = []
                    self.hear(0)
                    self.work()
        self.store(wanted)
        self.rows_at, self.rows_cost = began, time.monotonic() - clock

    def compare(self):
        """After a gap: the whole bucket against the whole disk, both a page at a time."""
        since, batch = self.caught - OVERLAP, []
        self.tell("nobody watched for a while: comparing the bucket with the disk")
        for key, here, there in objects.merge(self.media.files(), self.media.store.list()):
            if here and not self.media.withheld(key, here[1]):
                if not there or there[1] != here[1].st_size or here[1].st_ctime >= since:
                    batch.append(key)
            elif there and self.media.wanted(key) and self.media.owns(key):
                batch.append(key)  # gone from the disk, or private now
            if len(batch) >= objects.CHUNK_FILES:
                self.store(batch)
                batch = []
        self.store(batch)


if __name__ == "__main__":
    try:
        Follower(objects.Media(sys.argv[1])).run()
    except objects.Away as away:
        sys.exit(str(away))  # systemd starts it again, to wait for the folder and to watch that one
