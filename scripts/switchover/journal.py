"""What a switchover did so far, on disk: one JSON object a line. A line that matters is on the platter before the deed."""

import errno
import json
import os
import time


class Journal:
    """Lines are {"run", "event", "direction", "n", "name", "at", …}; events: start, step, done, undone."""

    def __init__(self, path):
        self.path = path
        self.entries = list(_read(path))
        self.file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        size = os.fstat(self.file).st_size
        if size and os.pread(self.file, 1, size - 1) != b"\n":
            os.write(self.file, b"\n")

    def write(self, event, sync=False, **fields):
        last = self.entries[-1] if self.entries else {}
        entry = {"run": last.get("run", 0), "direction": last.get("direction"), **fields, "event": event, "at": time.time()}
        self._append((json.dumps(entry) + "\n").encode())
        if sync:
            os.fdatasync(self.file)
        self.entries.append(entry)

    def _append(self, line):
        """Whole or not at all: a disk that is almost full takes a part."""
        size = os.fstat(self.file).st_size
        if os.write(self.file, line) < len(line):
            os.ftruncate(self.file, size)
            raise OSError(errno.ENOSPC, f"no space left for the journal in {self.path}")

    def start(self, direction):
        run = max((entry["run"] for entry in self.entries), default=0) + 1
        self.write("start", sync=True, run=run, direction=direction)

    def unfinished(self):
        """Entries of the last run, if it neither got done nor was undone."""
        if not self.entries or self.entries[-1]["event"] in ("done", "undone"):
            return []
        run = self.entries[-1]["run"]
        return [entry for entry in self.entries if entry["run"] == run]


def _read(path):
    """A line cut off by a power loss is no entry: what it would have announced has not happened."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue
