"""bulk.py SETTINGS: the unit of storage/copy. Compares disk and bucket, both in order and a page at a time, and stores what is
missing, until a pass finds nothing to store that was there when it began: what came later is the follower's, which runs already.
What an earlier run stored is not stored again."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402
import s3  # noqa: E402


class Bulk:
    def __init__(self, media):
        self.media, self.raw_tell = media, objects.teller("storage-copy")
        self.files = self.bytes = self.looked = 0
        self.began = time.monotonic()

    def tell(self, text):
        self.raw_tell("%d files stored, %.1f MiB, %.0f files/s; %s" % (self.files, self.bytes / 2**20, self.files / (time.monotonic() - self.began + 0.001), text))

    def run(self):
        for turn in range(1, 21):
            withheld, left = self.turn(time.time())
            if not left:
                return {"files": self.files, "bytes": self.bytes, "withheld": withheld, "looked": self.looked}
        sys.exit("after 20 passes there still are old files to store: the store does not keep what it takes, or something touches them all the time")

    def turn(self, began):
        """Tells how many files are withheld, and how many had to be stored that were there when it began."""
        batch, size, old, withheld, self.looked = {}, 0, 0, 0, 0
        for key, here, there in objects.merge(self.media.files(), self.media.store.list()):
            if not here:
                continue
            found = here[1]
            self.looked += 1
            if self.media.withheld(key, found):
                withheld += 1
            elif not there or there[1] != found.st_size:
                batch[key] = found
                size += found.st_size
                old += found.st_ctime < began
                if len(batch) >= objects.CHUNK_FILES or size >= objects.CHUNK_BYTES:
                    self.store(batch)
                    batch, size = {}, 0
        self.store(batch)
        return withheld, old

    def store(self, batch):
        """A file that went or grew meanwhile is the next pass's, or the follower's."""
        if not batch:
            return
        self.files += objects.patiently(self.media, batch, self.tell)
        self.bytes += sum(found.st_size for found in batch.values())
        self.tell("at %s" % next(reversed(batch)))


def main(path):
    try:
        result = Bulk(objects.Media(path)).run()
    except objects.Failed as why:
        sys.exit("the store did not take the files: %s" % why)
    except s3.StoreError as why:
        sys.exit("the store refused: %s" % why)
    with open(objects.RUN + "/storage-copy.result", "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(sys.argv[1])
