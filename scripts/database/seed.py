"""The base backup, as a unit: from the source through the tunnel into DATA.incoming, then into place.

Not resumable: cut off, it starts anew, and leaves the source as it was. On a slow link it starts again with compression
once it has seen the rate, since compressing on a fast one costs more than it saves.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

PROBE_SECONDS = 10
SLOW = 60 << 20  # bytes a second below which lz4 on the source wins
WORTH = 2 << 30  # bytes left that make a fresh start worth it
MAX_RATE = 1024  # MiB a second; pg_basebackup takes no higher limit
LINE = re.compile(r"(\d+)/(\d+) kB")
# The source says it in its own language (lc_messages).
SLOT_IN_USE = re.compile(r"trunkline_target\W[^/]*PID ?\d+")


class Slow(Exception):
    """The link is slow enough for compression to pay."""


class Seed:
    def __init__(self, options):
        self.options = options
        self.incoming = options.data + ".incoming"

    def run(self):
        compress, give_up = None, time.monotonic() + 150
        while True:
            self.clear()
            try:
                return self.copy(compress)
            except Slow:
                compress = "server-lz4:1"
                self.tell("the link is slow: starting again with compression")
            except BlockingIOError:
                # A cut connection is noticed on the source only after wal_sender_timeout.
                if time.monotonic() > give_up:
                    raise
                self.tell("waiting for the source to notice that the last copy was cut off")
                time.sleep(2)

    def clear(self):
        shutil.rmtree(self.incoming, ignore_errors=True)

    def copy(self, compress):
        command = [
            os.path.join(self.options.bin, "pg_basebackup"), "-D", self.incoming, "-X", "stream", "-S", "trunkline_target",
            "-c", "fast", "-P", "--no-sync",
            "-d", f"host=127.0.0.1 port={self.options.port} user=trunkline_repl sslmode=disable passfile={self.options.passfile}",
        ]
        if self.options.rate:
            command += [f"--max-rate={min(self.options.rate, MAX_RATE)}M"]
        if compress:
            command += [f"--compress={compress}"]
        self.begun = time.monotonic()
        process = subprocess.Popen(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command], stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
        try:
            said = self.watch(process, may_compress=not compress and not self.options.rate and self.options.major >= 15)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            self.clear()
            raise
        if process.wait() == 0:
            return self.settle()
        self.clear()  # frees a full disk too
        text = " ".join(said[-6:])
        if SLOT_IN_USE.search(text):
            raise BlockingIOError(text)
        raise RuntimeError(text)

    def watch(self, process, may_compress):
        """Reads what pg_basebackup says; returns what was no progress."""
        said, told = [], 0.0
        for line in process.stderr:
            match = LINE.search(line)
            if not match:
                said.append(line.strip())
                print(line.strip(), flush=True)
                continue
            done, total = int(match[1]) << 10, int(match[2]) << 10
            self.room_for(total - done)
            now = time.monotonic()
            rate = done / max(now - self.begun, 0.001)
            if may_compress and PROBE_SECONDS < now - self.begun < PROBE_SECONDS + 5 and rate < SLOW and total - done > WORTH:
                raise Slow
            if now - told > 1:
                told = now
                left = f", {(total - done) / rate:.0f} s left" if rate else ""
                self.tell(f"{done >> 20} of {total >> 20} MiB, {rate / (1 << 20):.1f} MiB/s{left}")
        return said

    def room_for(self, left):
        free = shutil.disk_usage(os.path.dirname(self.options.data)).free
        if free < left:
            raise RuntimeError(f"no space: {left >> 20} MiB of the base backup are still to come, and {free >> 20} MiB are free below {os.path.dirname(self.options.data)}; free some, then run `pulumi up` again")

    def settle(self):
        """A standby that takes no setting from the source's postgresql.auto.conf; then everything to disk, then into place."""
        auto = os.path.join(self.incoming, "postgresql.auto.conf")
        os.rename(auto, auto + ".source")
        for name in ("postgresql.auto.conf", "standby.signal"):
            with open(os.path.join(self.incoming, name), "w", encoding="ascii"):
                pass
            shutil.chown(os.path.join(self.incoming, name), "postgres", "postgres")
            os.chmod(os.path.join(self.incoming, name), 0o600)
        self.tell("writing it to disk")
        with open(self.options.seeded, "w", encoding="ascii"):
            pass
        os.sync()
        os.rename(self.incoming, self.options.data)
        os.sync()

    def tell(self, text):
        with open(self.options.progress, "a", encoding="utf-8") as file:
            file.write(text + "\n")


def main():
    parser = argparse.ArgumentParser()
    for name in ("bin", "data", "passfile", "progress", "seeded"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("port", "rate", "major"):
        parser.add_argument(f"--{name}", type=int, required=True)
    seed = Seed(parser.parse_args())
    try:
        seed.run()
    except Exception as error:
        print(f"base backup: {error}", flush=True)
        sys.exit(1)


main()
