"""A Redis connection in forty lines, for hosts where nothing but Python's own library is sure to be there."""

import socket


class RedisError(Exception):
    """Redis answered with an error."""


class Redis:
    """`address` is (host, port) or the path of a Unix socket."""

    def __init__(self, address, user=None, password=None, database=0, seconds=3):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(seconds)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, seconds)
        self.file = self.socket.makefile("rb")
        if password:
            self.call("AUTH", *([user] if user else []), password)
        if database:
            self.call("SELECT", database)

    def call(self, *words):
        parts = [str(word).encode("utf-8", "surrogateescape") for word in words]
        text = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(b"*%d\r\n%s" % (len(parts), text))
        return self._read()

    def info(self, section="everything"):
        return dict(line.split(":", 1) for line in self.call("INFO", section).splitlines() if ":" in line)

    def close(self):
        self.socket.close()

    def _read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode("utf-8", "surrogateescape")
        if kind == b"-":
            raise RedisError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$" and int(rest) >= 0:
            return self.file.read(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind == b"*" and int(rest) >= 0:
            return [self._read() for _ in range(int(rest))]
        return None if kind in b"$*" else rest
