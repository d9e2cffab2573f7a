"""include.py add|remove SITE DOMAIN FILE: prints an nginx site with, or without, a marked line that includes FILE in each TLS server
of the domain. A location of the site's own for /system/ steps aside while the line is there."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402

MARK = "# Made by Trunkline: old links"
ASIDE = "#trunkline# "


def add(text, domain, file):
    text = remove(text, domain, file)
    found = [s for s in nginxconf.servers(nginxconf.parse(text)) if nginxconf.is_tls(s) and nginxconf.serves(s, domain)]
    if not found:
        sys.exit("no server with TLS names %s" % domain)
    for server in reversed(found):
        line = "\n  include %s; %s\n" % (file, MARK)
        clashing = [d for d in server.all("location") if d.values in (["/system/"], ["^~", "/system/"])]
        for location in sorted(clashing, key=lambda d: -d.start):
            aside = "\n".join(ASIDE + part for part in text[location.start : location.end].split("\n"))
            # What follows on the last line must not become part of the comment.
            text = text[: location.start] + aside + "\n" + text[location.end :]
        text = text[: server.inner[0]] + line + text[server.inner[0] :]
    return text


def remove(text, domain, file):
    text = re.sub(r"\n[ \t]*include %s; %s\n" % (re.escape(file), re.escape(MARK)), "", text)
    # The line break that was put behind what stepped aside goes with it.
    text = re.sub(r"((?:%s[^\n]*\n)+)" % re.escape(ASIDE), lambda m: m[1].replace(ASIDE, "")[:-1], text)
    return text


def main(what, site, domain, file):
    with open(site, encoding="utf-8", errors="surrogateescape", newline="") as source:
        text = source.read()
    sys.stdout.reconfigure(errors="surrogateescape", newline="")
    print({"add": add, "remove": remove}[what](text, domain, file), end="")


main(*sys.argv[1:])
