"""Sidekiq on this host: quiet (no new jobs), empty (no job at work), and at work again."""

import subprocess
import time


class Busy(Exception):
    """Jobs that do not end in time."""


class Sidekiq:
    """`units` of this host; `open_redis` connects to the Redis that holds the queues."""

    def __init__(self, units, open_redis):
        self.units = [unit if unit.endswith(".service") else f"{unit}.service" for unit in units]
        self.open_redis = open_redis

    def running(self):
        return [unit for unit in self.units if _systemctl("is-active", "--quiet", unit) == 0]

    def drain(self, seconds):
        """TSTP, then until every process says that it is quiet and idle (they say so every 10 s)."""
        units = self.running()
        for unit in units:
            _systemctl("kill", "--signal=TSTP", "--kill-who=main", unit)
        end, redis = time.monotonic() + seconds, self.open_redis()
        while units:
            waiting = self._at_work(redis)
            if not waiting:
                break
            if time.monotonic() > end:
                raise Busy("; ".join(waiting))
            time.sleep(0.2)
        redis.close()
        return units

    def wake(self):
        """A quieted Sidekiq only works again after a restart. sidekiq/run gave it time to hand back what it has not finished."""
        for unit in self.units:
            if _systemctl("is-enabled", "--quiet", unit) and _systemctl("is-active", "--quiet", unit):
                continue  # neither wanted nor there
            _systemctl("restart", "--no-block", unit)

    def _at_work(self, redis):
        waiting = []
        for process in redis.call("SMEMBERS", "processes"):
            quiet, busy = redis.call("HMGET", process, "quiet", "busy")
            if busy is None:
                continue  # its entry has expired: it is gone
            if quiet != "true" or int(busy):
                waiting.append(f"{process}: {busy} jobs at work" if quiet == "true" else f"{process} is not quiet yet")
        return waiting


def _systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], capture_output=True, timeout=60, check=False).returncode
