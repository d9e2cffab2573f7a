"""HAProxy in front of Redis: where new connections go, and the end of old ones."""

import contextlib
import os
import socket
import time

from pooler import point


class Proxy:
    """`settings`: admin (socket), link (to the configuration for source or target)."""

    def __init__(self, settings):
        self.settings = settings

    def point(self, side):
        """New connections go to `side`; those that are open stay. The file first, so that a restart agrees."""
        other = "source" if side == "target" else "target"
        point(self.settings["link"], f"trunkline.{side}.cfg")
        self._say(f"set server redis/{side} state ready; set server redis/{other} state maint")

    @contextlib.contextmanager
    def held(self, side):
        """New connections to `side` wait meanwhile, and go on where `point` leads to; those that are open are left alone. Not by the
        frontend's limit: HAProxy 2.6 accepts no more, also when it is raised again."""
        self._say(f"set maxconn server redis/{side} 1")
        try:
            yield
        finally:
            self._say(f"set maxconn server redis/{side} 0")

    def leads_to(self):
        """The side that new connections go to."""
        return "target" if os.readlink(self.settings["link"]).startswith("trunkline.target") else "source"

    def cut(self, side):
        """Ends what is still connected to `side`: safe once nothing can be written there."""
        self._say(f"shutdown sessions server redis/{side}")

    def _say(self, commands, seconds=5.0):
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
    text = answer.decode().strip()
    if text:
        raise RuntimeError(f"HAProxy: {text}")
