"""Tells which files below a folder change, through the kernel's inotify: a watch on every folder, new ones included.

An event is (path below the root, kind): `file` was written or its mode changed, `gone` is a file or a whole folder that is no
longer there, `lost` means that the kernel dropped events. Where there are more folders than the kernel may watch, Full is raised.
"""

import ctypes
import errno
import os
import select
import struct

CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE, ATTRIB = 0x8, 0x40, 0x80, 0x100, 0x200, 0x4
ISDIR, OVERFLOW, IGNORED, ONLYDIR = 0x40000000, 0x4000, 0x8000, 0x01000000
MASK = CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | ATTRIB | ONLYDIR
HEADER = struct.Struct("iIII")


class Full(Exception):
    """The kernel watches no more folders; the number stands in fs.inotify.max_user_watches."""


class Watch:
    kind, complete = "inotify", True

    def __init__(self, root):
        self.root, self.folders = root, {}
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.add("", lambda path: None)

    def add(self, folder, found):
        """Watches a folder and all below it; calls `found` for each file, since it may have come before the watch did."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            path = os.path.join(self.root, folder)
            number = self.libc.inotify_add_watch(self.fd, os.fsencode(path), MASK)
            if number < 0:
                code = ctypes.get_errno()
                if code == errno.ENOSPC:
                    raise Full(path)
                if code in (errno.ENOENT, errno.ENOTDIR):
                    continue
                raise OSError(code, "inotify_add_watch", path)
            self.folders[number] = folder
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        below = os.path.join(folder, entry.name)
                        waiting.append(below) if entry.is_dir() else found(below)
            except (FileNotFoundError, NotADirectoryError):
                continue

    def events(self, seconds):
        """What has happened, as a list; waits so long for the first of it."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return []
        happened = []
        while True:
            try:
                data = os.read(self.fd, 1 << 18)
            except BlockingIOError:
                return happened
            at = 0
            while at < len(data):
                number, mask, _, length = HEADER.unpack_from(data, at)
                name = os.fsdecode(data[at + HEADER.size : at + HEADER.size + length].rstrip(b"\0"))
                at += HEADER.size + length
                self._event(number, mask, name, happened)

    def _event(self, number, mask, name, happened):
        if mask & OVERFLOW:
            happened.append(("", "lost"))
        elif mask & IGNORED:
            self.folders.pop(number, None)
        elif number in self.folders and name and not name.startswith("."):
            path = os.path.join(self.folders[number], name)
            if mask & (DELETE | MOVED_FROM):
                happened.append((path + "/" if mask & ISDIR else path, "gone"))
            elif mask & ISDIR and mask & (CREATE | MOVED_TO):
                self.add(path, lambda below: happened.append((below, "file")))
            elif not mask & ISDIR and mask & (CLOSE_WRITE | MOVED_TO | ATTRIB):
                happened.append((path, "file"))
