"""clean.py SETTINGS RESULT: removes from the disk what the bucket has, file by file, and says how much. What it has not stays."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import objects  # noqa: E402


def main(path, result):
    media, tell = objects.Media(path), objects.teller("storage-clean")
    removed = size = kept = 0
    for key, here, there in objects.merge(media.files(), media.store.list()):
        if here and there and there[1] == here[1].st_size:
            os.unlink(media.path(key))
            removed, size = removed + 1, size + here[1].st_size
            empty(media.root, os.path.dirname(media.path(key)))
            if removed % 10_000 == 0:
                tell("%d files removed" % removed)
        elif here:
            kept += 1
    with open(result, "w", encoding="utf-8") as file:
        json.dump({"removed": removed, "bytes": size, "kept": kept}, file)


def empty(root, folder):
    """Folders that are left empty go too, but the media folder itself."""
    while folder.startswith(root + "/"):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
