"""listens.py DOMAIN NAME IPV6 PORT [WORD]: prints the `listen` lines with which NAME is to be had on that port wherever this host's nginx
serves the domain; everywhere where that says nothing. IPV6 (yes or no): whether this host has it. WORD stands in each line: ssl."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402


def main(domain, name, ipv6, port, *words):
    hosts = nginxconf.hosts_beside(nginxconf.load(*nginxconf.on_disk()), domain, name, port)
    for host in hosts or (["", "[::]"] if ipv6 == "yes" else [""]):
        print("  listen %s;" % " ".join((host + ":" + port if host else port, *words)))


main(*sys.argv[1:])
