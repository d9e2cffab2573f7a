"""The controller killed (-9) between the fence of the old Redis and HAProxy's flip, and who comes meanwhile. Ports as in ports.sh.

watch: starts both servers and the unit `trunkline-switchover`, is the clients, and prints what they saw as JSON.
switch, recover: what that unit and its guard run.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, "/opt/trunkline/scripts/switchover")
from proxy import Proxy  # noqa: E402
from redislink import Redis, RedisError, encode  # noqa: E402
from redismove import RedisMove  # noqa: E402

OLD, NEW, PROXY, FOLDER = 16379, 6379, 6380, "/root/redishold"
GO = f"{FOLDER}/go"
LOGIN = {"user": None, "password": None}
LONG = 7  # seconds: HAProxy gives up a connection to a server after 5


def serve(port, *more):
    os.makedirs(f"{FOLDER}/{port}")
    with open(f"{FOLDER}/{port}/redis.conf", "w", encoding="utf-8") as file:
        file.write("\n".join([f"port {port}", "bind 127.0.0.1", f"dir {FOLDER}/{port}", 'save ""', *more]) + "\n")
    return subprocess.Popen(["redis-server", file.name], stdout=subprocess.DEVNULL)


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            if what():
                return
        except (OSError, RedisError):
            pass
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s for {what.__name__}")
        time.sleep(0.02)


def told():
    return os.path.exists(GO)


def in_step():
    return Redis("new", NEW, LOGIN).info("replication").get("master_link_status") == "up"


def killed():
    shown = subprocess.run(["systemctl", "show", "--property=SubState", "trunkline-switchover"], capture_output=True, text=True, check=True)
    return shown.stdout == "SubState=stop-post\n"


def done():
    return Redis("old", OLD, LOGIN).info("replication").get("master_link_status") == "up" and not os.path.exists(GO)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def move(flip):
    proxy = Proxy({"admin": "/run/haproxy/admin.sock", "link": "/etc/haproxy/haproxy.cfg"}, PROXY)
    sides = {"source": {"port": OLD, "followPort": NEW}, "target": {"port": NEW, "followPort": OLD}}
    redis = RedisMove({**sides, "login": LOGIN}, "source", "target")
    redis.connect()
    redis.run(flip or (lambda: proxy.point("target")), proxy.held)
    proxy.cut("source")
    redis.settle(20)


def push(connection, job):
    try:
        return connection.call("RPUSH", "jobs", job)
    except RedisError as error:
        connection.socket.shutdown(socket.SHUT_RDWR)  # as one who connects again
        return str(error)


def watch():
    before = [Redis("proxy", PROXY, LOGIN) for _ in range(3)]
    begun = [push(client, "before") for client in before]
    subprocess.run(["bash", "-euc", "scripts=/opt/trunkline/scripts; . $scripts/lib.sh; start_unit switchover /usr/bin/python3 -B /root/redishold.py switch"], check=True)
    until(killed)
    fenced = [push(client, "fenced") for client in before]
    again = [Redis("proxy", PROXY, LOGIN, seconds=20) for _ in range(5)]
    for client in again:
        client.socket.sendall(encode(("RPUSH", "jobs", "again")))
    with socket.create_connection(("127.0.0.1", PROXY)) as impatient:
        impatient.sendall(encode(("RPUSH", "jobs", "given up")))
        time.sleep(1)
    early, _, _ = select.select([client.socket for client in again], [], [], LONG)
    with open(GO, "w", encoding="utf-8"):
        pass
    answers = [client._answer() for client in again]
    until(done)
    jobs = Redis("new", NEW, LOGIN).call("LRANGE", "jobs", 0, -1)
    print(json.dumps({"begun": begun, "fenced": fenced, "early": len(early), "answers": sorted(map(str, answers)), "jobs": jobs}))


def main():
    if sys.argv[1] == "switch":
        return move(die)
    if sys.argv[1] == "recover":
        until(told, 60)
        move(None)
        return os.unlink(GO)
    servers = [serve(OLD), serve(NEW, f"replicaof 127.0.0.1 {OLD}")]
    try:
        until(in_step)
        watch()
    finally:
        for server in servers:
            server.terminate()
            server.wait()


main()
