"""Makes this host's Redis a replica of the source's, or a plain one again. Settings on stdin as JSON, result on stdout.

{"want": "present"|"absent"|"alone", "port", "sourcePort", "user", "password", "saved": file for what is changed on the source}
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "switchover"))
from redislink import Redis, RedisError  # noqa: E402

BACKLOG = "64mb"


class Problem(Exception):
    """Expected, found, and what to do."""


class Replica:
    def __init__(self, settings):
        self.settings, self.changed = settings, False
        self.here = self.log_in_here()
        self.source = None

    def log_in_here(self):
        """With the carried password, or without one while this Redis is as the package made it."""
        try:
            return Redis("Redis here", self.settings["port"], self.settings)
        except RedisError:
            fresh = Redis("Redis here", self.settings["port"], {})
            fresh.call("PING")
            return fresh

    def present(self):
        if self.is_live():
            return {"role": "master"}
        self.open_source()
        self.refuse_data()
        self.prepare_source()
        self.credentials()
        self.set_here("repl-backlog-size", str(64 << 20))
        self.set_here("maxmemory-policy", "noeviction")
        self.set_here("appendfsync", "everysec")
        self.link()
        self.set_here("appendonly", "yes")
        self.here.call("CONFIG", "REWRITE")
        return self.in_step()

    def open_source(self):
        self.source = Redis("Redis on the source", self.settings["sourcePort"], self.settings)

    def is_live(self):
        """Whether the switchover made this the primary. In doubt it did: a source that cannot be asked may be off by now."""
        if self.here.info("replication")["role"] != "master" or not os.path.exists(self.settings["saved"]):
            return False
        try:
            self.open_source()
            return self.source.info("replication")["role"] == "slave"
        except (OSError, RedisError):
            return True

    def refuse_data(self):
        if self.source.info("replication")["role"] != "master":
            raise Problem("a primary on the source", "a replica", "run `pulumi up` again; if it stays, see who is Redis' primary with `redis-cli info replication` on both hosts")
        if self.here.info("replication")["role"] == "master" and int(self.here.call("DBSIZE")) > 0:
            raise Problem("an empty Redis here", f"{self.here.call('DBSIZE')} keys", "this Redis holds data of its own, which becoming a replica would wipe: move them away, or take an empty server")

    def prepare_source(self):
        """A larger backlog, so that a cut tunnel costs a partial resync; no restart, not written to its file."""
        version = tuple(int(part) for part in self.source.info("server")["redis_version"].split(".")[:2])
        if version < (6, 2):
            raise Problem("Redis 6.2 or later on the source", ".".join(map(str, version)), "set carryRedis to false: feeds are built anew and queues drained instead, or update Redis")
        before = self.source.call("CONFIG", "GET", "repl-backlog-size")[1]
        if not os.path.exists(self.settings["saved"]):
            with open(self.settings["saved"], "w", encoding="ascii") as file:
                file.write(before)
        if int(before) < 64 << 20:
            self.source.call("CONFIG", "SET", "repl-backlog-size", BACKLOG)
            self.changed = True

    def credentials(self):
        """The app's login works here as there; and the link logs in with it."""
        if self.settings["password"]:
            self.set_here("masterauth", self.settings["password"])
            self.set_here("masteruser", self.settings["user"])
        present = [rules_of(line) for line in self.here.call("ACL", "LIST")]
        # The default user last: it is who speaks here at first, and on the source it may be off.
        for line in sorted(self.source.call("ACL", "LIST"), key=lambda line: line.split()[1] == "default"):
            if rules_of(line) in present:
                continue
            if line.split()[1] == "default":
                self.here = self.log_in_here()
            self.here.call("ACL", "SETUSER", line.split()[1], "reset", *line.split()[2:])
            self.changed = True
        wanted = self.source.call("CONFIG", "GET", "requirepass")[1]
        if wanted:
            self.set_here("requirepass", wanted)

    def link(self):
        info = self.here.info("replication")
        if info["role"] == "slave" and info["master_port"] == str(self.settings["sourcePort"]):
            return
        self.here.call("REPLICAOF", "127.0.0.1", self.settings["sourcePort"])
        self.changed = True

    def in_step(self, seconds=1800):
        end, told = time.monotonic() + seconds, 0.0
        while True:
            info = self.here.info("replication")
            if info.get("master_link_status") == "up" and info.get("master_sync_in_progress") == "0":
                lag = int(self.source.info("replication")["master_repl_offset"]) - int(info["slave_repl_offset"])
                if lag < 1 << 20:
                    return {"role": "slave", "keys": int(self.here.call("DBSIZE")), "lagBytes": max(lag, 0)}
            if time.monotonic() > end:
                raise Problem(f"the replica in step within {seconds} s", f"link {info.get('master_link_status')}", "see Redis' log on both hosts, then run `pulumi up` again")
            if time.monotonic() > told + 5:
                told = time.monotonic()
                print(f"redis: link {info.get('master_link_status')}, {info.get('master_sync_left_bytes', '?')} bytes left", file=sys.stderr)
            time.sleep(0.1)

    def alone(self):
        """Redis is not carried: an empty one of its own, with the app's password."""
        if self.here.info("replication")["role"] == "slave":
            raise Problem("a Redis of its own here", "a replica", "set carryRedis back to true, or go back to phase prepare first")
        self.set_here("maxmemory-policy", "noeviction")
        self.set_here("appendonly", "yes")
        if self.settings["user"]:
            if self.settings["user"] not in self.here.call("ACL", "USERS"):
                self.here.call("ACL", "SETUSER", self.settings["user"], "on", ">" + self.settings["password"], "~*", "&*", "+@all")
                self.changed = True
        elif self.settings["password"]:
            self.set_here("requirepass", self.settings["password"])
        self.here.call("CONFIG", "REWRITE")
        return {"role": "master"}

    def absent(self):
        """Undone only while this is a replica: as a primary it holds the live data."""
        if self.is_live():
            raise Problem("a replica, which may be emptied", "the live primary", "go back to phase shift first, so that the data return to the source")
        if self.here.info("replication")["role"] == "slave":
            self.changed = True
            self.here.call("REPLICAOF", "NO", "ONE")
            self.here.call("FLUSHALL")
        self.give_back()
        return {"role": "master"}

    def give_back(self):
        if not os.path.exists(self.settings["saved"]):
            return
        with open(self.settings["saved"], encoding="ascii") as file:
            before = file.read()
        self.open_source()
        self.source.call("CONFIG", "SET", "repl-backlog-size", before)
        os.unlink(self.settings["saved"])

    def set_here(self, name, value):
        if self.here.call("CONFIG", "GET", name)[1:] == [value]:
            return
        self.here.call("CONFIG", "SET", name, value)
        self.changed = True


def rules_of(line):
    """A user as ACL LIST tells it, less the word that only some spell out."""
    return [word for word in line.split() if word != "sanitize-payload"]


def main():
    replica = None
    try:
        settings = json.load(sys.stdin)
        replica = Replica(settings)
        result = getattr(replica, settings["want"])()
        print("changed" if replica.changed else "unchanged", json.dumps(result))
    except Problem as problem:
        print("\x1f".join(map(str, problem.args)))
        sys.exit(3)
    except (OSError, RedisError) as error:
        print("\x1f".join(("Redis on both ends to answer and to allow CONFIG and REPLICAOF", str(error), "see that host's redis-server, and the rights of the app's Redis user")))
        sys.exit(3)


main()
