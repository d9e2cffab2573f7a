"""Redis for a switchover: one connection that stays open, and several commands in one round trip."""

import os
import socket
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import resp  # noqa: E402
from resp import RedisError  # noqa: E402


class Redis(resp.Redis):
    """`name` is how messages call the server; `login` has user, password and perhaps database."""

    def __init__(self, name, port, login, database=0, seconds=5):
        self.name = name
        super().__init__(("127.0.0.1", port), login.get("user"), login.get("password"), database, seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pipeline(self, *commands):
        """Answers to all commands, in one round trip; the first error is raised once all have been read."""
        self.socket.sendall(b"".join(encode(command) for command in commands))
        answers = [self._answer() for _ in commands]
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    def _read(self):
        try:
            return super()._read()
        except RedisError as error:
            raise RedisError(f"{self.name}: {error}") from None

    def _answer(self):
        try:
            return self._read()
        except RedisError as error:
            return error


def encode(command):
    parts = [str(part).encode("utf-8", "surrogateescape") for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def parse_info(text):
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
