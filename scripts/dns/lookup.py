"""Asks the name servers of a zone themselves what a name points to: `lookup.py NAME TYPE` prints the values, a line each.

What a cache says may be old; the zone's own servers know. Only Python's library, since a fresh server has no dig.
"""

import os
import socket
import struct
import sys

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "AAAA": 28}
SECONDS = 3


def ask(server, name, kind, recurse):
    """Values of one kind that a server answers with."""
    number = struct.unpack(">H", os.urandom(2))[0]
    header = struct.pack(">6H", number, 0x0100 if recurse else 0, 1, 0, 0, 0)
    labels = name.rstrip(".").encode("idna").split(b".")
    question = b"".join(bytes([len(part)]) + part for part in labels) + b"\0" + struct.pack(">2H", TYPES[kind], 1)
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(SECONDS)
        udp.connect((server, 53))
        udp.send(header + question)
        answer = udp.recv(4096)
    if struct.unpack(">H", answer[:2])[0] != number:
        raise OSError("an answer to another question")
    return values(answer, kind)


def values(message, kind):
    questions, answers = struct.unpack(">2H", message[4:8])
    at, found = 12, []
    for _ in range(questions):
        at = read_name(message, at)[1] + 4
    for _ in range(answers):
        at = read_name(message, at)[1]
        number, _, _, length = struct.unpack(">2HIH", message[at : at + 10])
        at += 10
        if number == TYPES[kind]:
            data = message[at : at + length]
            if kind == "A":
                found.append(socket.inet_ntop(socket.AF_INET, data))
            elif kind == "AAAA":
                found.append(socket.inet_ntop(socket.AF_INET6, data))
            else:
                found.append(read_name(message, at)[0])
        at += length
    return found


def read_name(message, at):
    """A name and where it ends; a pointer leads to a name elsewhere in the message."""
    labels, end, jumps = [], None, 0
    while message[at]:
        if message[at] >= 0xC0:
            end = at + 2 if end is None else end
            at, jumps = struct.unpack(">H", message[at : at + 2])[0] & 0x3FFF, jumps + 1
            if jumps > 20:
                raise OSError("a name that never ends")
            continue
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels), end if end is not None else at + 1


def resolvers():
    with open("/etc/resolv.conf", encoding="ascii", errors="replace") as file:
        found = [line.split()[1] for line in file if line.startswith("nameserver") and len(line.split()) > 1]
    return found or ["127.0.0.1"]


def authorities(name):
    """Addresses of the name servers of the zone that the name lies in; the host's own resolver where they can't be found."""
    labels = name.rstrip(".").split(".")
    for i in range(len(labels) - 1):
        try:
            servers = ask(resolvers()[0], ".".join(labels[i:]), "NS", True)
        except OSError:
            continue
        addresses = [a for s in servers for a in addresses_of(s)]
        if addresses:
            return addresses
    return resolvers()


def addresses_of(server):
    try:
        return sorted({info[4][0] for info in socket.getaddrinfo(server, 53, socket.AF_INET, socket.SOCK_DGRAM)})
    except OSError:
        return []


def main(name, kind):
    error = None
    for server in authorities(name):
        try:
            print("\n".join(sorted(ask(server, name, kind, False))))
            return
        except OSError as why:
            error = why
    sys.exit("no name server of %s answers: %s" % (name, error))


if __name__ == "__main__":
    main(*sys.argv[1:])
