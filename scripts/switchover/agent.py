#!/usr/bin/env python3
"""The agent: governs the source's Postgres for a controller on the target. One JSON object a line, on the loopback only.

agent      → {"agent": "trunkline", "nonce": N}
controller → {"nonce": M, "mac": hmac(token, "controller" N M)}
agent      → {"mac": hmac(token, "agent" N M)}
controller → {"id": 1, "verb": "fence", "args": {…}}   agent → {"id": 1, "ok": true, "result": …} or {"id": 1, "ok": false, "error", "kind"}

Whoever answers the greeting with {"ask": "reverse"} is told where the reverse forwards listen, as `ss` would tell it too.
If the controller is lost before the shutdown begins, standby.signal is taken away again; after it, the server stays down,
since the other side may have been promoted. An agent that was killed in between decides the same from its journal.
"""

import hmac
import json
import os
import secrets
import select
import socket
import sys
import threading
import time

from journal import Journal
from ports import listening, reap_stale
from postgres import Postgres

VERBS = {
    "ping", "status", "unrest", "receiving", "checkpoint", "fill_segment", "follow_settings", "hurry", "keep_slot", "drop_slot",
    "fence", "unfence", "follow", "promote", "stillborn", "arise",
}


class Agent:
    def __init__(self, settings):
        self.settings = settings
        self.postgres = Postgres(settings["postgres"])
        self.journal = Journal(settings["journal"])
        self.lock = threading.Lock()  # one verb at a time, whoever asks

    def serve(self):
        self.settle()
        threading.Thread(target=self.watch_ports, daemon=True).start()
        listener = socket.create_server(("127.0.0.1", self.settings["port"]))
        print(f"listening on 127.0.0.1:{self.settings['port']}", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.session, args=(connection,), daemon=True).start()

    def settle(self):
        """After a kill between standby.signal and the shutdown: if Postgres goes on as a primary, the signal has to go."""
        last = self.journal.entries[-1] if self.journal.entries else {}
        if last.get("event") != "fence":
            return
        time.sleep(2)  # a shutdown that was begun shows by now
        if self.postgres.status()["role"] == "primary" and self.postgres.process.says() != "stopping":
            self.postgres.process.mark_standby(False)
            self.journal.write("unfenced", sync=True)

    def watch_ports(self):
        while True:
            time.sleep(5)
            reap_stale(self.settings["reversePorts"])

    def session(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = connection.makefile("rwb", buffering=0)
        try:
            if self.greet(lines):
                for line in lines:
                    _say(lines, self.answer(json.loads(line), connection))
        except (OSError, ValueError) as error:
            print(f"session ended: {error}", flush=True)
        finally:
            connection.close()

    def greet(self, lines):
        nonce = secrets.token_hex(16)
        _say(lines, {"agent": "trunkline", "nonce": nonce})
        line = lines.readline(1000)
        if not line:
            return False
        reply = json.loads(line)
        if reply == {"ask": "reverse"}:
            _say(lines, {"reverse": " ".join(listening(self.settings["reversePorts"]))})
            return False
        token = self.settings["token"]
        if not hmac.compare_digest(proof(token, "controller", nonce, reply["nonce"]), reply["mac"]):
            _say(lines, {"error": "the token is wrong"})
            return False
        _say(lines, {"mac": proof(token, "agent", nonce, reply["nonce"])})
        return True

    def answer(self, request, connection):
        verb, args = request["verb"], dict(request.get("args", {}))
        try:
            if verb not in VERBS:
                raise ValueError(f"no verb {verb!r}")
            with self.lock:
                result = self.act(verb, args, connection)
            return {"id": request["id"], "ok": True, "result": result}
        except Exception as error:  # whatever it is, the controller has to hear of it
            print(f"{verb}: {type(error).__name__}: {error}", flush=True)
            return {"id": request["id"], "ok": False, "error": str(error), "kind": type(error).__name__}

    def act(self, verb, args, connection):
        """Runs one verb; those that decide who is primary leave a line in the journal, fence before it begins."""
        if verb == "fence":
            args["wanted"] = lambda: _alive(connection)
            self.journal.write("fence")  # settle() needs it after a kill, not after a power cut: there is no primary to find then
        result = getattr(self.postgres, verb)(**args)
        if verb in ("fence", "unfence", "promote"):
            self.journal.write(verb + "d")
        return result


def proof(token, who, nonce, other):
    return hmac.new(token.encode(), f"{who} {nonce} {other}".encode(), "sha256").hexdigest()


def _say(lines, message):
    lines.write(json.dumps(message).encode() + b"\n")


def _alive(connection):
    """Whether the other end is still there, as far as this end was told."""
    readable, _, _ = select.select([connection], [], [], 0)
    return not readable or connection.recv(1, socket.MSG_PEEK) != b""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        Agent(json.load(file)).serve()
