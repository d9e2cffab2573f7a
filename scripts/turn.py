"""Holds the turn on this host for one run: says `mine`, or `taken` and who has it.

The turn is a socket's name and nothing on a disk: it goes with this process, which goes with its connection, or when
nothing came over that for 30 s. argv: who asks.
"""

import contextlib
import os
import select
import socket
import sys
import time

NAME = "\0trunkline-turn"
QUIET = 30


def holder():
    """Who has the turn, in their own words: as little of them as fits a line."""
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(10)
        try:
            asker.connect(NAME)
            said = asker.recv(200).decode("utf-8", "replace")
        except OSError:
            said = "whose it is can't be told"
    return "".join(c for c in said if c.isprintable())


def main(who):
    turn = socket.socket(socket.AF_UNIX)
    try:
        turn.bind(NAME)
    except OSError:
        print(f"taken by {holder()}", flush=True)
        return
    turn.listen()
    print("mine", flush=True)
    who += time.strftime(", since %H:%M:%S UTC", time.gmtime())
    while True:
        ready = select.select([0, turn], [], [], QUIET)[0]
        if not ready or (0 in ready and not os.read(0, 4096)):
            return
        if turn in ready:
            # Who asks may be gone before it is told: that is no reason to lose the turn.
            with turn.accept()[0] as asker, contextlib.suppress(OSError):
                asker.sendall(who.encode())


main(sys.argv[1])
