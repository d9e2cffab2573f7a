"""worker.py MODE SETTINGS: keeps the target's media in step with the rows. SETTINGS is a JSON file; most modes run as units.

follow: before the shift, again and again, what changed on the source.
finish: after it, until every file that a row stands for is here, or the source has not got it either.
late:   what an upload that was under way at the shift still left on the source; ends when the source's app is stopped.
push:   on the way back, what was uploaded here goes to the source, once.
back:   the same again and again.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import keys  # noqa: E402

RUN = "/run/trunkline"
FALLBACK = "/etc/nginx/trunkline/media-source.conf"
READ = "/etc/trunkline/read.conf"
# Clocks, commits and copies overlap: a row is looked at again until it is this old.
OVERLAP = 300


class Media:
    def __init__(self, settings):
        self.root = settings["MEDIA_DIR"]
        self.mark = float(settings["MARK"])
        self.name = settings["NAME"]
        psql = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-p", settings["PG"], "-d", settings["DB_NAME"]]
        self.rows = keys.Rows(psql)
        self.limit = int(settings["RATE_MIB"] or 0) * 1024

    def tell(self, text):
        with open("%s/%s.progress" % (RUN, self.name), "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def path(self, key):
        return os.path.join(self.root, key)

    def fetch(self, wanted):
        """Copies what is named and newer on the source; tells how many files came, and their bytes."""
        return self._rsync(wanted, ["source:media/", self.root + "/"])

    def push(self, wanted):
        return self._rsync((key for key in wanted if os.path.lexists(self.path(key))), [self.root + "/", "source:media/"])

    def _rsync(self, wanted, ends):
        """The list goes through a file, so that the number of keys does not matter. --update: the newer file wins."""
        path, count = "%s/%s.keys" % (RUN, self.name), 0
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            for key in wanted:
                file.write(key + "\0")
                count += 1
        if not count:
            return 0, 0
        command = [
            "rsync", "--rsh=ssh -F " + READ, "--archive", "--update", "--numeric-ids", "--timeout=120", "--partial",
            "--files-from=" + path, "--from0", "--ignore-missing-args", "--out-format=%l %n", "--bwlimit=%d" % self.limit, *ends,
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, errors="surrogateescape")
        # 24: a file went away while it was copied, as when its post was deleted.
        if done.returncode not in (0, 24):
            raise RuntimeError("rsync ended with status %d: %s" % (done.returncode, done.stderr.strip()[-300:]))
        sizes = [int(line.split(" ", 1)[0]) for line in done.stdout.splitlines() if line and not line.endswith("/")]
        return len(sizes), sum(sizes)

    def changed(self, since):
        return self.rows.keys(since)

    def missing(self):
        return (key for key in self.rows.keys() if not os.path.lexists(self.path(key)))


def source_says(verb):
    done = subprocess.run(["ssh", "-F", READ, "source", verb], stdout=subprocess.PIPE, universal_newlines=True, timeout=60)
    if done.returncode:
        raise RuntimeError("the source did not answer %s" % verb)
    return done.stdout.strip()


def patiently(deed, media):
    """A pass that fails (a tunnel down, a server rebooting) is told of and tried again."""
    try:
        return deed()
    except (RuntimeError, OSError, subprocess.SubprocessError) as why:
        media.tell("waiting: %s" % why)
        return None


def follow(media):
    """An interval of ten times what the look at the rows costs, so that it never is a load."""
    ahead, since, files = None, media.mark, 0
    while True:
        if ahead is None:
            ahead = patiently(lambda: float(source_says("clock")) - time.time(), media)
        now, began = time.time() + (ahead or 0), time.monotonic()
        wanted = patiently(lambda: list(media.changed(since - OVERLAP)), media)
        looked = time.monotonic() - began
        came = patiently(lambda: media.fetch(wanted), media) if wanted is not None and ahead is not None else None
        if came is not None:
            files, since = files + came[0], now
            with open("%s/media.step" % RUN, "w", encoding="utf-8") as file:
                json.dump({"at": now, "files": files}, file)
            media.tell("in step; %d files since the bulk copy" % files)
        time.sleep(min(300, max(2, 10 * looked)))


def finish(media):
    """Rows of before the shift are all on the standby; so this ends as soon as one pass finds nothing to do."""
    files, size, lacking = 0, 0, None
    for turn in range(1, 20):
        parts = [media.fetch(media.changed(media.mark - OVERLAP)), media.fetch(media.missing())]
        came = sum(part[0] for part in parts)
        files, size = files + came, size + sum(part[1] for part in parts)
        left = count(media.missing())
        media.tell("pass %d: %d files came, %d keys have no file" % (turn, came, left))
        # What a pass asked the source for and did not get is not there either.
        if came == 0 and left == lacking:
            break
        lacking = left
    else:
        sys.exit("after 20 passes there still are files to copy: something on the source writes media without end")
    answer = {"keys": count(media.rows.keys()), "files": files, "bytes": size, "missing": 0, "missingOnSource": lacking}
    with open("%s/%s.result" % (RUN, media.name), "w", encoding="utf-8") as file:
        json.dump(answer, file)


def count(items):
    return sum(1 for _ in items)


def late(media):
    """Two passes after the source's app is stopped, since the last row may come a moment later. Then nothing can be there that is not here."""
    passes = 0
    while passes < 2:
        stopped = patiently(lambda: source_says("stopped"), media)
        came = patiently(lambda: media.fetch(media.changed(media.mark - OVERLAP)), media)
        passes = passes + 1 if came is not None and stopped == "yes" else 0
        time.sleep(3)
    close_fallback()
    subprocess.run(["systemctl", "disable", "--quiet", "trunkline-media-late.service"], check=True)


def close_fallback():
    """From now on a file that is deleted here must not come back from the source."""
    if os.path.exists(FALLBACK):
        with open(FALLBACK + ".part", "w", encoding="utf-8") as file:
            file.write("# Made by Trunkline: every file is here.\n")
        os.replace(FALLBACK + ".part", FALLBACK)
        subprocess.run(["systemctl", "reload", "nginx"], check=True)


def back(media):
    while True:
        went = patiently(lambda: media.push(media.changed(media.mark - OVERLAP)), media)
        if went is not None:
            patiently(lambda: source_says("pushed %d" % went[0]), media)
        time.sleep(1)


def push(media):
    media.push(media.changed(media.mark - OVERLAP))


def main(mode, path):
    with open(path, encoding="utf-8") as file:
        media = Media(json.load(file))
    {"follow": follow, "finish": finish, "late": late, "push": push, "back": back}[mode](media)


if __name__ == "__main__":
    main(*sys.argv[1:])
