"""Media as objects: which files there are, in the order of a bucket's list; what each is stored with; and rclone, which stores them."""

import concurrent.futures
import json
import os
import stat
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.join(os.path.dirname(os.path.realpath(__file__)), "../media")]
import keys  # noqa: E402
import s3  # noqa: E402

RUN, KNOWN, CONF = "/run/trunkline", "/var/lib/trunkline/storage", "/etc/trunkline/storage.conf"
CACHE_CONTROL = "public, max-age=315576000, immutable"
# Types that rclone might not know on a host without a table of types; as Mastodon names them.
TYPES = {
    "mp4": "video/mp4", "m4v": "video/x-m4v", "mov": "video/quicktime", "webm": "video/webm", "mp3": "audio/mpeg", "ogg": "audio/ogg",
    "oga": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "opus": "audio/ogg", "aac": "audio/aac", "m4a": "audio/mp4",
    "3gp": "video/3gpp", "wma": "audio/x-ms-asf", "heic": "image/heic", "heif": "image/heif", "avif": "image/avif",
    "zip": "application/zip", "csv": "text/csv", "ico": "image/x-icon", "jpe": "image/jpeg", "jfif": "image/jpeg",
}  # fmt: skip
CHUNK_FILES, CHUNK_BYTES = 5000, 2 << 30
# An empty folder among the media, from the first follower on: what has none is not the media folder, but what lies below its mount.
MARKER = ".trunkline"


class Failed(Exception):
    """rclone could not store what it should; `denied`: the key or the bucket is refused, and trying again is no use."""

    def __init__(self, text, denied=False):
        super().__init__(text)
        self.denied = denied


class Away(Exception):
    """The media folder is not there, or another one is in its place: what it lacks has not been deleted."""


class Media:
    def __init__(self, path, patience=15):
        """`patience`: for how many seconds a store that takes nothing is asked again."""
        with open(path, encoding="utf-8") as file:
            self.settings = json.load(file)
        self.root = self.settings["MEDIA_DIR"]
        self.acls = self.settings["OBJECT_ACL"] == "yes"
        self.cache = self.settings["CACHE"] != "no"
        self.patience = patience
        self.store = s3.Store(self.settings, patience)

    def rows(self):
        return keys.Rows(self.settings["PSQL"].split("\n"), self.settings["PSQL_DIR"])

    def leave_mark(self):
        """By which the folder is known again. @raises OSError where there is no folder, or root may not write there."""
        try:
            os.mkdir(self.path(MARKER), 0o755)
        except FileExistsError:
            pass

    def here(self):
        """@raises Away where the folder that was begun with is not there now. Where nothing was begun, any folder will do, or none."""
        if os.path.exists(KNOWN + "/mark") and not os.path.isdir(self.path(MARKER)):
            raise Away("the media folder %s is not mounted: there is no %s in it" % (self.root, MARKER))

    def path(self, key):
        return os.path.join(self.root, key)

    def stat(self, key):
        """Of the file; None where there is none."""
        try:
            found = os.stat(self.path(key))
        except (OSError, ValueError):
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def files(self, prefix=""):
        """(key, stat) of every file in the order of a bucket's list. One folder at a time: memory stays flat. @raises Away"""
        if not prefix:
            self.here()
        try:
            with os.scandir(os.path.join(self.root, prefix)) as found:
                entries = [(e.name + "/" if e.is_dir() else e.name, e) for e in found if not e.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            if not prefix:
                raise Away("there is no media folder %s" % self.root) from None
            self.here()
            return  # a folder that its app removed meanwhile
        for name, entry in sorted((e for e in entries if storable(e[0])), key=lambda e: e[0]):
            if not name.endswith("/"):
                found = self.stat(prefix + name)
                if found:
                    yield prefix + name, found
            elif self.cache or prefix or name != "cache/":
                yield from self.files(prefix + name)

    def wanted(self, key):
        return self.cache or not key.startswith("cache/")

    def owns(self, key):
        """Whether an object is Mastodon's own: there may be others in a bucket, and those are left alone."""
        return class_of(key) in {a.folder.partition("/")[0] for a in keys.ATTACHMENTS}

    def private(self, key, found):
        """Files of suspended accounts are their owner's alone, and archives are one person's."""
        return key.startswith("backups/") or not found.st_mode & 0o044

    def withheld(self, key, found):
        """Where objects have no rights of their own, what is private must not be in a bucket that is public."""
        return not self.acls and self.private(key, found)

    def upload(self, items, tell=lambda text: None):
        """Stores files, of which each is (key, stat). @raises Failed, after which each of them is there or not. @raises Away"""
        groups = {}
        for key, found in items:
            kind = TYPES.get(key.rpartition(".")[2].lower(), "")
            groups.setdefault((self.private(key, found), kind), []).append((key, found.st_size))
        try:
            for (private, kind), part in groups.items():
                self._rclone(part, private, kind, tell)
        finally:
            # rclone passes over files that are not there (any more).
            self.here()

    def acl(self, private):
        """The ACL that rclone is to name; "": none. Where it is told none an older one names private, and B2 takes the bucket's alone."""
        if self.acls:
            return "private" if private else self.settings["PERMISSION"]
        return "public-read" if self.settings["STORE"] == "b2" else ""

    def _rclone(self, part, private, kind, tell):
        names = "%s/storage-%d.files" % (RUN, os.getpid())
        with open(names, "w", encoding="utf-8") as file:
            file.writelines(key + "\n" for key, _ in part)
        mean = sum(size for _, size in part) / len(part)
        command = [
            "rclone", "--config", CONF, "copy", self.root, "store:" + self.settings["BUCKET"], "--files-from-raw", names, "--copy-links",
            "--no-check-dest", "--s3-no-head", "--retries", "1", "--low-level-retries", "10", "--transfers", str(transfers(mean)),
            "--checkers", "8", "--timeout", "30s", "--stats", "5s", "--stats-one-line", "--stats-log-level", "NOTICE", "--use-json-log",
            "--header-upload", "Cache-Control: " + CACHE_CONTROL, *(["--header-upload", "Content-Type: " + kind] if kind else []),
            *(["--s3-acl", self.acl(private)] if self.acl(private) else []),
            "--bwlimit", self.settings["RATE_MIB"] + "M" if self.settings["RATE_MIB"] not in ("", "0") else "off",
        ]  # fmt: skip
        run_rclone(command, tell)
        os.remove(names)


def class_of(key):
    """The first folder of a key, be it of this server's own files or of those it caches of others."""
    return key[6 * key.startswith("cache/") :].partition("/")[0]


def trait(found):
    """By which a file is known to have been written, or given another mode."""
    return found.st_mtime_ns, found.st_size, found.st_mode


def storable(name):
    """Whether a store can have an object of that name: its keys are UTF-8; and rclone's lists have a name a line."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\n" not in name and "\r" not in name


def transfers(mean):
    """How many at once: small files cost round trips, large ones bandwidth and memory."""
    return 32 if mean < 256 << 10 else 16 if mean < 4 << 20 else 6


def run_rclone(command, tell):
    # Nothing of the caller's own AWS settings may have a say.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_"))}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, universal_newlines=True, encoding="utf-8", errors="replace", env={**clean, "HOME": "/root"})
    errors = []
    for line in process.stderr:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"level": "error", "msg": line}
        text = entry.get("msg", "").strip()
        if entry.get("level") in ("error", "fatal"):
            errors = (errors + ["%s: %s" % (entry["object"], text) if "object" in entry else text])[-5:]
        elif text and "stats" in entry:
            tell(text.splitlines()[-1])
    if process.wait():
        said = " | ".join(errors) or "rclone ended with status %d" % process.returncode
        denied = any(word in said for word in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "Forbidden", "RequestTimeTooSkewed", "status code: 403"))
        raise Failed(said, denied)


def teller(name):
    """Progress of a unit: its last line is shown to whoever follows it."""
    path = "%s/%s.progress" % (RUN, name)

    def tell(text):
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text.replace("\n", " ") + "\n")

    return tell


def patiently(media, items, tell):
    """Stores files, again and again those that are not there yet, until its patience is over without one that got there. Gives how
    many were; what vanished meanwhile is left out."""
    left, pause, end = dict(items), 1, time.monotonic() + media.patience
    while True:
        try:
            media.upload(left.items(), tell)
            return len(items)
        except Failed as why:
            tried = len(left)
            left = lacking(media, {k: v for k, v in ((k, media.stat(k)) for k in left) if v})
            if not left:
                return len(items)
            if len(left) < tried:
                pause, end = 1, time.monotonic() + media.patience
            if why.denied or time.monotonic() > end:
                raise
            tell("%d files to be tried again: %s" % (len(left), why))
            time.sleep(pause)
            pause = min(30, 2 * pause)


def lacking(media, items):
    """Those of (key, stat) that the bucket has not, each asked for by itself."""
    with concurrent.futures.ThreadPoolExecutor(16) as asking:
        answers = asking.map(lambda item: there(media, *item), items.items())
        return {key: found for (key, found), is_there in zip(items.items(), answers) if not is_there}


def there(media, key, found):
    head = media.store.head(key)
    return bool(head) and int(head.get("content-length", -1)) == found.st_size


def merge(left, right):
    """Pairs two sorted streams of tuples by their first: (key, left or None, right or None)."""
    ends = (next(left, None), next(right, None))
    while any(ends):
        a, b = ends
        if b is None or (a is not None and a[0] < b[0]):
            yield a[0], a, None
            ends = (next(left, None), b)
        elif a is None or b[0] < a[0]:
            yield b[0], None, b
            ends = (a, next(right, None))
        else:
            yield a[0], a, b
            ends = (next(left, None), next(right, None))
