"""verify.py SETTINGS RESULT: accounts for every file that a row stands for. Rows (sorted on the disk) and the bucket's list go past each
other in one order, so that a million keys need no more memory than a thousand.

missing:  no object, though there was a file.        wrong:    an object of another size, or with other bytes.
lacking:  no object, and no file before either.      withheld: private, and kept on the disk (a store without object rights).
orphans:  objects that no row stands for.      removed:  those of them that are removed: see sweep.
"""

import collections
import hashlib
import json
import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import rowkeys  # noqa: E402

# Seconds by which a row may be older than it seems: clocks and commits overlap.
OVERLAP = 300


class Verification:
    def __init__(self, media):
        self.media, self.tell = media, objects.teller("storage-verify")
        self.count = collections.Counter()
        self.examples = {}
        self.mend, self.sample = {}, []
        self.lacking, self.swept = (tempfile.TemporaryFile("w+", dir=objects.KNOWN, encoding="utf-8") for _ in range(2))
        self.folder, self.held, self.before = "", [], sweeps_before()
        self.limit = int(media.settings["SAMPLE"] or 10000)
        self.chance = random.Random(1)
        self.began = time.time()

    def note(self, what, key):
        self.count[what] += 1
        self.example(what, key)

    def example(self, what, key):
        if len(self.examples.setdefault(what, [])) < 5:
            self.examples[what].append(key)

    def run(self):
        # Without its disk a file that the bucket has not would pass for one that never was. Once all is accounted for, the disk may go.
        if not read(objects.KNOWN + "/verified"):
            self.media.here()
        for key, row, there in objects.merge(rowkeys.sorted_rows(self.media), self.media.store.list()):
            self.weigh(key, row, there)
            if row is None:
                self.note("orphans", key)
                continue
            self.count["keys"] += 1
            if self.count["keys"] % 20_000 == 0:
                self.tell("%d keys looked at" % self.count["keys"])
            self.one(key, row[1], there)
            if len(self.mend) >= objects.CHUNK_FILES:
                self.mend_now()
        self.mend_now()
        self.sweep()
        self.look_again()
        self.compare_bytes()
        return self.result()

    def one(self, key, row_size, there):
        here = self.media.stat(key)
        if there is None:
            if here and self.media.withheld(key, here):
                self.count["withheld"] += 1
            elif here:
                self.mend[key] = here
            else:
                self.count["lacking"] += 1
                self.lacking.write(key + "\n")
            return
        self.count["objects"] += 1
        self.count["bytes"] += there[1]
        # The app may have written a file again in the bucket; then the row knows.
        right = {row_size, here.st_size if here else row_size} - {None}
        if right and there[1] not in right:
            if here:
                self.mend[key] = here
            else:
                self.note("wrong", key)
        elif here:
            self.pick((key, there[2], there[1]))

    def pick(self, item):
        """A sample that every object has the same chance to be in, however many there are."""
        self.count["comparable"] += 1
        if len(self.sample) < self.limit:
            self.sample.append(item)
        else:
            place = self.chance.randrange(self.count["comparable"])
            if place < self.limit:
                self.sample[place] = item

    def mend_now(self):
        """What the disk has is stored (again), and then looked for."""
        if not self.mend:
            return
        mend, self.mend = self.mend, {}
        self.tell("%d files are stored again" % len(mend))
        why = ""
        try:
            objects.patiently(self.media, mend, self.tell)
        except objects.Failed as error:
            why = " (%s)" % error
        left = objects.lacking(self.media, mend)
        for key, found in mend.items():
            if key in left:
                self.note("missing", key + why)
            else:
                self.count["mended"] += 1
                self.count["objects"] += 1
                self.count["bytes"] += found.st_size

    def look_again(self):
        """A row of a moment ago may have been seen before its object. One that stays without an object is lacking if it is older than
        the switch, since then the disk would have had its file; a younger one is missing. However many: they are on the disk, in order."""
        if not self.count["lacking"]:
            return
        time.sleep(2)
        since = float(read(objects.KNOWN + "/switched") or self.began - OVERLAP)
        self.lacking.seek(0)
        keys = ((line.rstrip("\n"),) for line in self.lacking)
        for key, lacks, young in objects.merge(keys, rowkeys.sorted_rows(self.media, since)):
            if not lacks:
                continue
            if not young:
                self.example("lacking", key)
                continue
            self.count["lacking"] -= 1
            if self.media.store.head(key) is None:
                self.note("missing", key)
            else:
                self.count["objects"] += 1

    def weigh(self, key, row, there):
        """Notes what was deleted. Keys of one row come together, in its folder: while there is a row, all of them are left alone."""
        folder = key.rsplit("/", 2)[0]
        if folder != self.folder:
            self.weighed()
            self.folder, self.held = folder, []
        if row:
            self.held = None
        elif self.held is not None and there[3] < self.before and self.deleted(key):
            self.held.append(key)

    def weighed(self):
        self.swept.writelines(key + "\n" for key in self.held or [])

    def deleted(self, key):
        whole = objects.storable(key) and "\t" not in key  # others are not looked for among the rows
        return whole and self.media.owns(key) and self.media.wanted(key) and self.media.stat(key) is None

    def sweep(self):
        """Removes what the app deleted from the disk while nobody watched, so that the bucket did not hear of it: everyone who has its
        link would see it for ever. Not before all rows have been read."""
        self.weighed()
        if not self.before:
            return
        self.media.here()
        self.swept.seek(0)
        for key in (line.rstrip("\n") for line in self.swept):
            if self.deleted(key):
                self.media.store.delete(key)
                self.note("removed", key)
                self.count["orphans"] -= 1
        with open(objects.KNOWN + "/swept", "w", encoding="utf-8"):
            pass

    def compare_bytes(self):
        for number, (key, etag, size) in enumerate(self.sample):
            if number % 1000 == 999:
                self.tell("%d of %d checksums compared" % (number + 1, len(self.sample)))
            if not self.same(key, etag, size):
                self.note("wrong", key)
            self.count["sampled"] += 1

    def same(self, key, etag, size):
        """By the store's own MD5 where the object was stored in one piece, else by its bytes."""
        try:
            with open(self.media.path(key), "rb") as file:
                own = hashlib.md5()
                for part in iter(lambda: file.read(1 << 20), b""):
                    own.update(part)
        except FileNotFoundError:
            return True
        if own.hexdigest() == etag:
            return True
        here = self.media.stat(key)
        if here and here.st_size != size:
            return True  # written again by the app, in the bucket: the row said so
        return hashlib.md5(self.media.store.get(key)).hexdigest() == own.hexdigest()

    def result(self):
        c = self.count
        names = ("keys", "objects", "bytes", "missing", "wrong", "lacking", "withheld", "mended", "orphans", "removed", "sampled", "comparable")
        return {**{name: c[name] for name in names}, "examples": self.examples}


def sweeps_before():
    """What was stored before this second came from this disk, by a copy or the follower; 0: nobody knows. Only the first verification
    sweeps: later the disk may have been cleaned, and no longer tells what was deleted."""
    if not read(objects.KNOWN + "/mark") or read(objects.KNOWN + "/verified") or os.path.exists(objects.KNOWN + "/swept"):
        return 0
    return float(read(objects.KNOWN + "/switched") or OVERLAP) - OVERLAP


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    answer = Verification(objects.Media(sys.argv[1], patience=900)).run()
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump(answer, out)
