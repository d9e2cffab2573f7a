"""The kernel's fanotify on a whole file system: one mark, however many folders there are. Linux 5.9, for root.

An event names the folder by a handle, and the file by its name in it. A folder that is gone already can't be named any more; then
the event of its own removal, in the folder above, says all there is to say. Events are those of watch.py.
"""

import ctypes
import errno
import os
import select
import struct

CLASS_NOTIF, CLOEXEC, NONBLOCK, UNLIMITED, REPORT_DIR_NAME = 0x0, 0x1, 0x2, 0x10, 0x400 | 0x800
MARK_ADD, MARK_FILESYSTEM, AT_FDCWD = 0x1, 0x100, -100
ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE, OVERFLOW, ONDIR = 0x4, 0x8, 0x40, 0x80, 0x100, 0x200, 0x4000, 0x40000000
MASK = ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | ONDIR
META = struct.Struct("IBBHQii")  # length, version, -, length of this, mask, fd, pid
DFID_NAME = 2


class Watch:
    kind, complete = "fanotify", True

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._call("fanotify_init", CLASS_NOTIF | CLOEXEC | NONBLOCK | UNLIMITED | REPORT_DIR_NAME, os.O_RDONLY)
        self.libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
        self._call("fanotify_mark", self.fd, MARK_ADD | MARK_FILESYSTEM, MASK, AT_FDCWD, os.fsencode(self.root))
        self.mount = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.device = os.fstat(self.mount).st_dev
        self._one_file_system()
        self._sees()

    def _call(self, name, *arguments):
        answer = getattr(self.libc, name)(*arguments)
        if answer < 0:
            code = ctypes.get_errno()
            raise OSError(code, "%s: %s" % (name, os.strerror(code)))
        return answer

    def _one_file_system(self):
        """A part of the media that lies elsewhere (a link, a mount) would be out of sight."""
        for name in os.listdir(self.root):
            if os.stat(os.path.join(self.root, name)).st_dev != self.device:
                raise OSError(errno.EXDEV, "%s lies on another file system" % name)

    def _sees(self):
        """Some file systems take a mark and then can't open what they name: tried with a folder."""
        path = os.path.join(self.root, ".trunkline-watch-%d" % os.getpid())
        os.mkdir(path)
        try:
            with open(os.path.join(path, "seen"), "wb"):
                pass
            seen = self._raw(2)
            os.unlink(os.path.join(path, "seen"))
        finally:
            os.rmdir(path)
        if not any(folder == path and name == "seen" for folder, name, _ in seen):
            raise OSError(errno.EOPNOTSUPP, "the file system does not tell which file changed")

    def events(self, seconds):
        happened = []
        for folder, name, mask in self._raw(seconds):
            if mask & OVERFLOW:
                happened.append(("", "lost"))
            elif folder is not None and (folder == self.root or folder.startswith(self.root + "/")):
                path = os.path.join(os.path.relpath(folder, self.root), name) if folder != self.root else name
                if not any(part.startswith(".") for part in path.split("/")):
                    happened += self._told(path, mask)
        return happened

    def _told(self, path, mask):
        if mask & ONDIR:
            if mask & (DELETE | MOVED_FROM):
                yield path + "/", "gone"
            if mask & MOVED_TO:
                # What is in a folder that was moved here made no event of its own.
                for folder, _, files in os.walk(os.path.join(self.root, path)):
                    for name in files:
                        yield os.path.relpath(os.path.join(folder, name), self.root), "file"
        elif mask & (DELETE | MOVED_FROM) and not mask & (CLOSE_WRITE | MOVED_TO):
            yield path, "gone"
        elif mask & (CLOSE_WRITE | MOVED_TO | ATTRIB):
            # Events of one file come as one; the file itself says how it ended.
            yield path, "file"

    def _raw(self, seconds):
        """(folder or None, name, mask) of every event there is."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return []
        found = []
        while True:
            try:
                data = os.read(self.fd, 1 << 18)
            except BlockingIOError:
                return found
            at = 0
            while at + META.size <= len(data):
                length, _, _, header, mask, _, _ = META.unpack_from(data, at)
                found.append((*self._names(data[at + header : at + length]), mask))
                at += length

    def _names(self, data):
        at = 0
        while at + 4 <= len(data):
            kind, _, length = struct.unpack_from("BBH", data, at)
            if kind == DFID_NAME:
                # After the head: 8 bytes of the file system's id, then the handle (its size, its type, its bytes), then the name.
                size = struct.unpack_from("I", data, at + 12)[0]
                handle, name = data[at + 12 : at + 20 + size], data[at + 20 + size : at + length]
                return self._folder(handle), os.fsdecode(name.split(b"\0", 1)[0])
            at += length
        return None, ""

    def _folder(self, handle):
        fd = self.libc.open_by_handle_at(self.mount, handle, os.O_PATH | os.O_CLOEXEC)
        if fd < 0:
            return None
        try:
            path = os.readlink("/proc/self/fd/%d" % fd)
            return None if path.endswith(" (deleted)") else path
        finally:
            os.close(fd)
