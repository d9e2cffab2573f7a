"""HAProxy in front of Redis: where new connections go, and the end of old ones."""

import contextlib
import csv
import os
import socket
import time

from keep import outlive
from pooler import point
from redislink import Redis, RedisError


class Proxy:
    """`settings`: admin (socket), link (to the configuration for source or target); `port` is where clients come."""

    def __init__(self, settings, port):
        self.settings, self.port = settings, port

    def point(self, side):
        """New connections go to `side`; those that are open stay. The file first, so that a restart agrees."""
        other = "source" if side == "target" else "target"
        point(self.settings["link"], f"trunkline.{side}.cfg")
        self._say(f"set server redis/{side} state ready; set server redis/{other} state maint")

    @contextlib.contextmanager
    def held(self, side):
        """New connections to `side` wait meanwhile, and go on where `point` leads to; those that are open are left alone. If this
        process is killed, they wait for the run that finishes its work.

        Not by the frontend's limit: HAProxy 2.6 accepts no more, also when it is raised again. Nor by state: without a server in
        service there is no queue, and a paused frontend refuses."""
        keeper = self._keep_full(side)
        self._say(f"set maxconn server redis/{side} 1")
        try:
            yield
        finally:
            self._say(f"set maxconn server redis/{side} 0")
            if keeper:
                with contextlib.suppress(OSError):  # the old server may have ended it
                    keeper.socket.shutdown(socket.SHUT_RDWR)

    def _keep_full(self, side):
        """There is no limit of 0, and so one after the other would come through once those that are open have closed: one stays open."""
        if self._limit(side) == "1":
            return None  # that of a run that was killed is there, and another one would have to wait like all
        keeper = Redis("Redis through HAProxy", self.port, {}, seconds=2)
        with contextlib.suppress(RedisError):  # it may want a password: an answer all the same
            keeper.call("PING")
        outlive(keeper.socket)
        return keeper

    def _limit(self, side):
        """How many connections the server may have; empty if there is no limit."""
        servers = csv.DictReader(self._ask("show stat redis 4 -1").splitlines())
        return next(server["slim"] for server in servers if server["svname"] == side)

    def leads_to(self):
        """The side that new connections go to."""
        return "target" if os.readlink(self.settings["link"]).startswith("trunkline.target") else "source"

    def cut(self, side):
        """Ends what is still connected to `side`: safe once nothing can be written there."""
        self._say(f"shutdown sessions server redis/{side}")

    def _say(self, commands):
        """HAProxy answers only what went wrong."""
        if text := self._ask(commands):
            raise RuntimeError(f"HAProxy: {text}")

    def _ask(self, commands, seconds=5.0):
        end = time.monotonic() + seconds
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(2.0)
                    connection.connect(self.settings["admin"])
                    connection.sendall(commands.encode() + b"\n")
                    return _all(connection)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)  # it restarts


def _all(connection):
    answer = b""
    while chunk := connection.recv(4096):
        answer += chunk
    return answer.decode().strip()
