"""Moves the Redis primary: clients see READONLY, which they retry, and never a cut socket while writes are open."""

import time

from postgres import Refused
from redislink import Redis, RedisError, parse_info

PAUSE_MS = 5000  # a lease: if this process dies, writers go on by themselves


class RedisMove:
    """`old` and `new` are source and target or the reverse; `settings`: port and followPort of each, login."""

    def __init__(self, settings, old, new):
        self.settings, self.old_name, self.new_name = settings, old, new
        self.old = self.new = None

    def connect(self):
        """Both connections, fresh only if one of them has died."""
        try:
            if self.old and self.new:
                return self.old.call("PING"), self.new.call("PING")
        except OSError:
            pass
        self.close()
        self.old, self.new = self._open(self.old_name), self._open(self.new_name)
        return None

    def close(self):
        for connection in (self.old, self.new):
            if connection:
                connection.close()

    def check(self):
        """Refuses unless the new side is a replica in step, or already the primary."""
        old, new = self._old(), self._new()
        if new["role"] == "master" and old["role"] == "slave":
            return
        if old["role"] != "master" or new["role"] != "slave":
            raise Refused(f"Redis: {self.old_name} is a {old['role']}, {self.new_name} a {new['role']}; expected a primary and its replica")
        if new.get("master_link_status") != "up":
            raise Refused(f"Redis on {self.new_name}: its link to the primary is {new.get('master_link_status')}; expected up")
        if new.get("master_replid") != old.get("master_replid"):
            raise Refused(f"Redis on {self.new_name} follows another primary than {self.old_name}")

    def warm(self):
        """All that needs no pause: what the old one needs to follow, and that both survive a restart."""
        settings = self.settings
        self.old.call("CONFIG", "SET", "repl-backlog-size", "64mb")
        if settings["login"]["password"]:
            self.old.call("CONFIG", "SET", "masterauth", settings["login"]["password"])
            self.old.call("CONFIG", "SET", "masteruser", settings["login"]["user"])
        for server in (self.old, self.new):
            server.call("CONFIG", "REWRITE")
        self._save()

    def _save(self, seconds=300):
        """A Redis without a log has its memory on disk as of minutes ago; if the old one loses its power in the switch, that counts."""
        if self.old.call("CONFIG", "GET", "appendonly")[1] == "yes":
            return
        try:
            self.old.call("BGSAVE", "SCHEDULE")
        except RedisError:
            return  # one is under way, or there is no memory for it: then as ever
        end = time.monotonic() + seconds
        while self.old.info("persistence")["rdb_bgsave_in_progress"] != "0" and time.monotonic() < end:
            time.sleep(0.05)

    def await_link(self, seconds):
        """After a reboot the replica may still be loading, or looking for its primary: not within the pause."""
        end = time.monotonic() + seconds
        while (info := self._new())["role"] == "slave" and info.get("master_link_status") != "up":
            # Cut off between its demotion and the promotion, each follows the other: both have all.
            if self._old()["role"] == "slave" or time.monotonic() > end:
                return
            time.sleep(0.1)

    def run(self, flip, held):
        """The switch, in two round trips. `flip` sends new connections to the new primary, before any writer is let go.

        From the fence on, a write that was not held yet is told READONLY, and its client connects again, once: what it finds then
        has to be the new primary, and so new connections wait (`held`) until there is one."""
        with held(self.old_name):
            begun = time.monotonic()
            _, info = self.old.pipeline(("CLIENT", "PAUSE", PAUSE_MS, "WRITE"), ("INFO", "replication"))
            old, new = parse_info(info), self._new()
            if old["role"] == "master":
                self._await_offset(int(old["master_repl_offset"]), new)
                # Fence and reverse link in one, and before the promotion: never two primaries.
                reverse = ("REPLICAOF", "127.0.0.1", self._follow_port(self.old_name))
                old = parse_info(self.old.pipeline(reverse, ("CONFIG", "REWRITE"), ("INFO", "replication"))[-1])
            if new["role"] == "slave":
                self._prove(int(old["master_repl_offset"]))
                self.new.call("REPLICAOF", "NO", "ONE")
            flip()
        self.old.call("CLIENT", "UNPAUSE")
        return round((time.monotonic() - begun) * 1000, 1)

    def _prove(self, offset):
        """No promotion without proof that the new one has all up to the fence: had the lease run out before it, there was more."""
        end = time.monotonic() + 1
        while int((info := self._new()).get("slave_repl_offset", -1)) < offset:
            if time.monotonic() > end:
                self.old.pipeline(("REPLICAOF", "NO", "ONE"), ("CONFIG", "REWRITE"), ("CLIENT", "UNPAUSE"))
                raise TimeoutError(
                    f"Redis on {self.new_name} lacks what {self.old_name} wrote last: {info.get('slave_repl_offset')} of {offset};"
                    f" {self.old_name} is the primary again"
                )
            time.sleep(0.0005)

    def only_one(self, leads_to):
        """A primary that lost its power as it was demoted can come back as one. The live one is where HAProxy leads."""
        if (self._old()["role"], self._new()["role"]) != ("master", "master"):
            return
        other, name = (self.old, self.old_name) if leads_to == self.new_name else (self.new, self.new_name)
        other.call("REPLICAOF", "127.0.0.1", self._follow_port(name))

    def settle(self, seconds):
        """Roles on disk, and the old one in step again by partial resync."""
        for server in (self.new, self.old):
            server.call("CONFIG", "REWRITE")
        end = time.monotonic() + seconds
        while (info := self._old()).get("master_link_status") != "up":
            if time.monotonic() > end:
                raise TimeoutError(f"Redis on {self.old_name} does not follow {self.new_name} within {seconds} s: link {info.get('master_link_status')}")
            time.sleep(0.02)

    def _await_offset(self, offset, info):
        """Until the new one has all that the old one wrote; writers are let go again if it does not come to that."""
        end = time.monotonic() + 2
        while info.get("master_link_status") != "up" or int(info["slave_repl_offset"]) < offset:
            if time.monotonic() > end:
                self.old.call("CLIENT", "UNPAUSE")
                raise TimeoutError(f"Redis on {self.new_name} has not caught up within 2 s: {info.get('slave_repl_offset')} of {offset}")
            time.sleep(0.0005)
            info = self._new()

    def _follow_port(self, name):
        return self.settings[name]["followPort"]

    def _open(self, name):
        return Redis(f"Redis on {name}", self.settings[name]["port"], self.settings["login"])

    def _old(self):
        return self.old.info("replication")

    def _new(self):
        return self.new.info("replication")
