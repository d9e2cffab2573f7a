"""plant.py HOW TREE FIRST END [TEMPLATES]: files of the media attachments number FIRST to END - 1, laid out as Mastodon does it,
a picture and its small one for each.

own:   each with bytes of its own, 2 to 40 KiB, of the kinds that people post.
link:  each a hard link to a file of the folder TEMPLATES, so that a million of them take little room. Number n has the id and name of its row.
copy:  the same, each written as the app writes it.
"""

import hashlib
import os
import random
import shutil
import sys

BASE = 113_555_001_222_000_000
# Rows of one template: two links each, of the 65,000 that an inode may have.
ROWS = 25_000
# Of ten files; a film's small one is a picture.
KINDS = ("jpeg",) * 5 + ("png",) * 3 + ("webp", "mp4")


def folder(number):
    digits = str(BASE + number)
    return os.path.join("media_attachments/files", *(digits[i : i + 3] for i in range(0, 18, 3)))


def names(number, kind):
    stem = hashlib.md5(b"%d" % number).hexdigest()[:16]
    return "original/%s.%s" % (stem, kind), "small/%s.%s" % (stem, "png" if kind == "mp4" else kind)


def plant(how, tree, first, end, templates):
    chance = random.Random(first)
    for number in range(first, end):
        for name in names(number, KINDS[number % len(KINDS)] if how == "own" else "png"):
            path = os.path.join(tree, folder(number), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if how == "own":
                with open(path, "wb") as file:
                    file.write(os.urandom(chance.randrange(2 << 10, 40 << 10)))
            else:
                (os.link if how == "link" else shutil.copyfile)(os.path.join(templates, str(number // ROWS)), path)


if __name__ == "__main__":
    plant(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
