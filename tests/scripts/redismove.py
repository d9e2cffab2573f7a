"""redismove.py CASE: the switch of Redis between two servers of this host, 40 ms apart, with writers; the outcome as JSON.

late: the lease on the pause runs out before the fence. torn: and the link to the new one breaks, too.
"""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, "/opt/trunkline/scripts/switchover")
import redislink  # noqa: E402
import redismove  # noqa: E402

OLD, NEW, LINK, AWAY = 26411, 26412, 26413, 0.04
LOGIN = {"user": None, "password": None}
redismove.PAUSE_MS = 300


def serve(folder, port, *more):
    os.mkdir(f"{folder}/{port}")
    lines = [f"port {port}", "bind 127.0.0.1", f"dir {folder}/{port}", 'save ""', "repl-diskless-sync-delay 0", *more]
    with open(f"{folder}/{port}/redis.conf", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return subprocess.Popen(["redis-server", file.name], stdout=subprocess.DEVNULL)


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, redislink.RedisError):
            if what():
                return
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s for {what.__name__}")
        time.sleep(0.05)


def delay(here, there):
    """Hands on what comes, AWAY seconds later."""
    waiting = queue.Queue()

    def hand_on():
        while True:
            due, data = waiting.get()
            time.sleep(max(0, due - time.monotonic()))
            if not data:
                return there.close()
            there.sendall(data)

    threading.Thread(target=hand_on, daemon=True).start()
    with contextlib.suppress(OSError):
        while data := here.recv(65536):
            waiting.put((time.monotonic() + AWAY, data))
    waiting.put((0, b""))


def link():
    with socket.create_server(("127.0.0.1", LINK)) as listening:
        while True:
            one, _ = listening.accept()
            other = socket.create_connection(("127.0.0.1", OLD))
            for pair in ((one, other), (other, one)):
                threading.Thread(target=delay, args=pair, daemon=True).start()


def redis(port):
    return redislink.Redis("here", port, LOGIN, seconds=30)


def role(port):
    return redis(port).info("replication")["role"]


def in_step():
    return redis(NEW).info("replication").get("master_link_status") == "up"


class Late(redismove.RedisMove):
    def _await_offset(self, offset, info):
        super()._await_offset(offset, info)
        if sys.argv[1] == "torn":
            self.new.call("REPLICAOF", "127.0.0.1", "1")
        time.sleep(1)


@contextlib.contextmanager
def held(_):
    yield


def main():
    acknowledged, stop = [], threading.Event()

    def write(number):
        connection, n = redis(OLD), 0
        with contextlib.suppress(redislink.RedisError, OSError):
            while not stop.is_set():
                connection.call("RPUSH", "jobs", f"{number}-{n}")
                acknowledged.append(f"{number}-{n}")
                n += 1
                time.sleep(0.002)

    with tempfile.TemporaryDirectory() as folder:
        servers = [serve(folder, OLD)]
        try:
            threading.Thread(target=link, daemon=True).start()
            servers.append(serve(folder, NEW, f"replicaof 127.0.0.1 {LINK}"))
            until(in_step)
            writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
            for writer in writers:
                writer.start()
            sides = {"source": {"port": OLD, "followPort": NEW}, "target": {"port": NEW, "followPort": OLD}}
            move, refused = Late({**sides, "login": LOGIN}, "source", "target"), None
            move.connect()
            try:
                move.run(lambda: None, held)
            except TimeoutError as why:
                refused = str(why)
            stop.set()
            for writer in writers:
                writer.join()
            roles = {"old": role(OLD), "new": role(NEW)}
            there = set(redis(NEW if roles["new"] == "master" else OLD).call("LRANGE", "jobs", 0, -1))
            lost = len([job for job in acknowledged if job not in there])
            print(json.dumps({"refused": refused, **roles, "acknowledged": len(acknowledged), "lost": lost}))
        finally:
            for server in servers:
                server.terminate()
                server.wait()


main()
