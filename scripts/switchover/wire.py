"""Postgres' wire protocol, as far as a switchover needs it: a connection that stays open, and no answer without a deadline.

psql could do the same, but it takes tens of milliseconds to start and cannot be asked to give up at a moment.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import pwd
import secrets
import select
import socket
import struct
import time


class SqlError(Exception):
    """The server answered with an error."""

    def __init__(self, code, message):
        super().__init__(f"{message} ({code})")
        self.code = code


@contextlib.contextmanager
def acting_as(user):
    """Connects as another system user: Postgres and PgBouncer look at who opened the socket (peer)."""
    me = os.geteuid()
    if user:
        os.seteuid(pwd.getpwnam(user).pw_uid)
    try:
        yield
    finally:
        if user:
            os.seteuid(me)


class Connection:
    """One session. `address` is a socket's path or (host, port)."""

    def __init__(self, address, user, database, password=None, system_user=None, seconds=5.0, options=None):
        self.deadline = time.monotonic() + seconds
        self.buffer = b""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        try:
            with acting_as(system_user):
                self.socket.connect(address)
            if family == socket.AF_INET:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._log_in(user, database, password, options or {})
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def query(self, sql, seconds=5.0):
        """Rows of the last statement that has any, as tuples of text."""
        self.send(sql)
        return self.receive(seconds)

    def send(self, sql):
        """Sends without waiting, so that the answer can be collected later."""
        self.socket.settimeout(5.0)
        self.socket.sendall(_message(b"Q", sql.encode() + b"\0"))

    def answered(self):
        """Whether something has come that receive() would read."""
        return bool(self.buffer or select.select([self.socket], [], [], 0)[0])

    def receive(self, seconds=5.0):
        self.deadline = time.monotonic() + seconds
        rows, error = [], None
        while True:
            kind, body = self._read()
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                error = error or _error(body)
            elif kind == b"Z":
                if error:
                    raise error
                return rows

    def _read(self):
        head = self._bytes(5)
        return head[:1], self._bytes(struct.unpack("!I", head[1:])[0] - 4)

    def _bytes(self, count):
        while len(self.buffer) < count:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer in time")
            self.socket.settimeout(left)
            chunk = self.socket.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _log_in(self, user, database, password, options):
        pairs = {"user": user, "database": database, "client_encoding": "UTF8", "application_name": "trunkline", **options}
        body = b"".join(text.encode() + b"\0" for pair in pairs.items() for text in pair) + b"\0"
        self.socket.sendall(_message(b"", struct.pack("!I", 196608) + body))
        scram = None
        while True:
            kind, body = self._read()
            if kind == b"E":
                raise _error(body)
            if kind == b"Z":
                return
            if kind != b"R":
                continue
            method = struct.unpack("!I", body[:4])[0]
            if method and password is None:
                raise SqlError("28000", "a password is asked for, where the system user should be enough (peer)")
            if method == 3:
                self.socket.sendall(_message(b"p", password.encode() + b"\0"))
            elif method == 5:
                inner = hashlib.md5((password + user).encode()).hexdigest().encode()
                self.socket.sendall(_message(b"p", b"md5" + hashlib.md5(inner + body[4:8]).hexdigest().encode() + b"\0"))
            elif method == 10:
                scram = _Scram(password)
                first = scram.first()
                self.socket.sendall(_message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
            elif method == 11:
                self.socket.sendall(_message(b"p", scram.final(body[4:])))
            elif method == 12:
                scram.check(body[4:])


class _Scram:
    """RFC 5802 as Postgres does it, without channel binding."""

    def __init__(self, password):
        self.password = password.encode()
        self.bare = b"n=,r=" + base64.b64encode(secrets.token_bytes(18))

    def first(self):
        return b"n,," + self.bare

    def final(self, challenge):
        parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(parts[b"s"]), int(parts[b"i"]))
        client, server = (hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key"))
        bare = b"c=biws,r=" + parts[b"r"]
        signed = b",".join((self.bare, challenge, bare))
        mask = hmac.digest(hashlib.sha256(client).digest(), signed, "sha256")
        self.expected = hmac.digest(server, signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client, mask))
        return bare + b",p=" + base64.b64encode(proof)

    def check(self, answer):
        if base64.b64decode(answer.split(b"=", 1)[1]) != self.expected:
            raise SqlError("28P01", "the server does not know the password either: this is another server")


def _message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def _row(body):
    count, at, row = struct.unpack("!H", body[:2])[0], 2, []
    for _ in range(count):
        size = struct.unpack("!i", body[at : at + 4])[0]
        at += 4
        row.append(None if size < 0 else body[at : at + size].decode())
        at += max(size, 0)
    return tuple(row)


def _error(body):
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return SqlError(fields.get(b"C", "?"), fields.get(b"M", "an error without a message"))
