"""bulk.py SETTINGS: the unit of storage/copy. Compares disk and bucket, both in order and a page at a time, and stores what is
missing; the comparison goes on while rclone is at work. What comes or changes behind it is the follower's, which runs already.
What an earlier run stored is not stored again."""

import json
import os
import queue
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import s3  # noqa: E402

# Seconds by which two clocks may still differ when the difference has been measured: an answer tells whole ones.
CLOCKS = 2


class Bulk:
    def __init__(self, media):
        self.media, self.raw_tell = media, objects.teller("storage-copy")
        self.files = self.bytes = self.looked = self.withheld = 0
        self.began = time.monotonic()
        self.batches, self.failed = queue.Queue(2), None

    def tell(self, text):
        self.raw_tell("%d files stored, %.1f MiB, %.0f files/s; %s" % (self.files, self.bytes / 2**20, self.files / (time.monotonic() - self.began + 0.001), text))

    def run(self):
        threading.Thread(target=self.look, daemon=True).start()
        for batch in iter(self.batches.get, None):
            self.store(batch)
        if self.failed:
            raise self.failed
        return {"files": self.files, "bytes": self.bytes, "withheld": self.withheld, "looked": self.looked}

    def look(self):
        try:
            for batch in self.missing():
                self.batches.put(batch)
        except Exception as why:  # it is the other thread that tells
            self.failed = why
        finally:
            self.batches.put(None)

    def missing(self):
        """Files that the bucket has not, or as they were before, so many at a time."""
        batch, size = {}, 0
        for key, here, there in objects.merge(self.media.files(), self.media.store.list()):
            if not here:
                continue
            found = here[1]
            self.looked += 1
            if self.media.withheld(key, found):
                self.withheld += 1
                if there:
                    self.media.store.delete(key)
            elif not there or there[1] != found.st_size or found.st_ctime > there[3] - CLOCKS:
                batch[key] = found
                size += found.st_size
                if len(batch) >= objects.CHUNK_FILES or size >= objects.CHUNK_BYTES:
                    yield batch
                    batch, size = {}, 0
        if batch:
            yield batch

    def store(self, batch):
        self.files += objects.patiently(self.media, batch, self.tell)
        self.bytes += sum(found.st_size for found in batch.values())
        self.tell("at %s" % next(reversed(batch)))
        self.again(batch)

    def again(self, batch):
        """The follower may have stored what a file became before this here stored what it was: then it is stored once more."""
        changed = {}
        for key, found in batch.items():
            now = self.media.stat(key)
            if now and objects.trait(now) != objects.trait(found):
                if self.media.withheld(key, now):
                    self.media.store.delete(key)
                else:
                    changed[key] = now
        if changed:
            self.tell("%d files changed while they were stored" % len(changed))
            objects.patiently(self.media, changed, self.tell)


def main(path):
    try:
        # A copy of days does not end for a store's bad quarter of an hour.
        result = Bulk(objects.Media(path, patience=900)).run()
    except objects.Failed as why:
        sys.exit("the store did not take the files: %s" % why)
    except s3.StoreError as why:
        sys.exit("the store refused: %s" % why)
    except objects.Away as why:
        sys.exit(str(why))
    with open(objects.RUN + "/storage-copy.result", "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(sys.argv[1])
