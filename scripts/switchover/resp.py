"""Redis' protocol on one open socket, with pipelining: several commands in one round trip."""

import socket
import time


class RedisError(Exception):
    """Redis answered with an error."""


class Redis:
    """One connection. `name` is how messages call the server."""

    def __init__(self, name, port, user=None, password=None, database=0, seconds=5.0):
        self.name = name
        self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if password:
            self.call("AUTH", *([user] if user else []), password, seconds=seconds)
        if database:
            self.call("SELECT", database, seconds=seconds)

    def close(self):
        self.socket.close()

    def call(self, *command, seconds=5.0):
        answer = self.pipeline([command], seconds)[0]
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def pipeline(self, commands, seconds=5.0):
        """Answers to all commands; an error stands in its place."""
        self.deadline = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        self.socket.sendall(b"".join(map(_encode, commands)))
        return [self._read() for _ in commands]

    def info(self, section="replication", seconds=5.0):
        return parse_info(self.call("INFO", section, seconds=seconds))

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("utf-8", "surrogateescape")

    def _more(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{self.name} did not answer in time")
        self.socket.settimeout(left)
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError(f"{self.name} closed the connection")
        self.buffer += chunk

    def _read(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == "-":
            return RedisError(f"{self.name}: {rest}")
        if kind == ":":
            return int(rest)
        if kind == "$" and int(rest) >= 0:
            while len(self.buffer) < int(rest) + 2:
                self._more()
            text, self.buffer = self.buffer[: int(rest)], self.buffer[int(rest) + 2 :]
            return text.decode("utf-8", "surrogateescape")
        if kind == "*" and int(rest) >= 0:
            return [self._read() for _ in range(int(rest))]
        return None if kind in "$*" else rest


def parse_info(text):
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _encode(command):
    parts = [str(part).encode("utf-8", "surrogateescape") for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
