"""The controller's end of the agent: the verbs of Postgres, over the tunnel."""

import builtins
import hmac
import json
import secrets
import socket
import time

from agent import VERBS, proof
from postgres import Refused
from redislink import RedisError
from wire import SqlError


class AgentLost(Exception):
    """The connection to the agent broke: what it did with the last verb is not known."""


class Remote:
    """Answers the same calls as Postgres. Every one has a deadline; after a loss, connect() again."""

    def __init__(self, name, port, token):
        self.name, self.port, self.token = name, port, token
        self.socket = None
        self.count = 0

    def connect(self, seconds=5.0):
        self.close()
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.lines = self.socket.makefile("rwb", buffering=0)
            hello, nonce = self._read(), secrets.token_hex(16)
            self._write({"nonce": nonce, "mac": proof(self.token, "controller", hello["nonce"], nonce)})
            if not hmac.compare_digest(self._read().get("mac", ""), proof(self.token, "agent", hello["nonce"], nonce)):
                raise AgentLost(f"the agent on {self.name} does not know the token: run `pulumi up` again, so that both ends get the same")
        except OSError as error:
            self.close()
            raise AgentLost(f"no agent on {self.name} behind 127.0.0.1:{self.port}: {error}") from error
        return self

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def __getattr__(self, verb):
        if verb not in VERBS:
            raise AttributeError(verb)
        return lambda **args: self.call(verb, args)

    def call(self, verb, args):
        if not self.socket:
            self.connect()
        self.count += 1
        try:
            # The agent keeps the verb's own deadline; ours is for an agent that does not answer at all.
            self.socket.settimeout(args.get("seconds", 5.0) + (30.0 if verb == "checkpoint" else 1.0))
            self._write({"id": self.count, "verb": verb, "args": args})
            answer = self._read()
        except OSError as error:
            self.close()
            raise AgentLost(f"the agent on {self.name} was lost during {verb}: {error}") from error
        if answer["ok"]:
            return answer["result"]
        raise _error(answer["kind"], f"{self.name}: {answer['error']}")

    def _write(self, message):
        self.lines.write(json.dumps(message).encode() + b"\n")

    def _read(self):
        line = self.lines.readline()
        if not line:
            raise ConnectionError("it closed the connection")
        return json.loads(line)


def _error(kind, text):
    """The agent's error as it would have been raised here."""
    if kind == "SqlError":
        return SqlError("agent", text)
    known = {"Refused": Refused}.get(kind) or getattr(builtins, kind, None)
    return known(text) if isinstance(known, type) and issubclass(known, (OSError, Refused)) else RuntimeError(text)


def persist(seconds, act):
    """Until it is done: the other end may be rebooting, or the tunnel be down. What it refuses is not asked for twice."""
    end, said = time.monotonic() + seconds, ""
    while True:
        try:
            return act()
        except (AgentLost, OSError, RedisError, SqlError) as error:
            if time.monotonic() > end:
                raise
            if str(error) != said:
                said = str(error)
                print(f"waiting: {said}", flush=True)
            time.sleep(0.2)
