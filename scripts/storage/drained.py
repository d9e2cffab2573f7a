"""drained.py "STREAMING ADDRESS…" PID…: whether nginx processes that were told to end have nothing under way but websockets.

A websocket is one connection from a client and one to the streaming server. What else a client has with them is a request. A client
who has gone counts until nginx has noticed: else the other half of his websocket would stand for somebody's request.
"""

import re
import subprocess
import sys


def main(streaming, *pids):
    shown = subprocess.run(["ss", "-Htnp", "state", "established", "state", "close-wait"], stdout=subprocess.PIPE, universal_newlines=True).stdout
    ports = {address.rpartition(":")[2] for address in streaming.split()}
    left = {}
    for line in shown.splitlines():
        fields = line.split()
        owner = set(re.findall(r"pid=(\d+)", line)) & set(pids)
        if len(fields) < 5 or not owner:
            continue
        local, peer = fields[3].rpartition(":")[2], fields[4].rpartition(":")[2]
        count = left.setdefault(min(owner), [0, 0])
        if local in ("80", "443"):
            count[0] += 1
        elif peer in ports and fields[0] == "ESTAB":
            count[1] += 1
    busy = sum(max(0, clients - websockets) for clients, websockets in left.values())
    if busy:
        print("%d requests" % busy)
    sys.exit(1 if busy else 0)


main(*sys.argv[1:])
