"""envfile.py FILE dotenv|verbatim|compose [before]: prints the file with the lines on stdin (NAME=value, or NAME to take it out).

`before` prints for each name on stdin the line that would bring back what the file says now.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402


def main(path, form, what=None):
    changes = {}
    for line in sys.stdin.read().splitlines():
        name, equals, value = line.partition("=")
        if name.strip():
            changes[name.strip()] = value if equals else None
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    sys.stdout.reconfigure(errors="surrogateescape", newline="")
    if what == "before":
        now = dotenv.FORMS[form][0](text)
        print("".join("%s=%s\n" % (n, now[n]) if n in now else n + "\n" for n in changes), end="")
    else:
        rewrite = dotenv.FORMS[form][1]
        for name, value in changes.items():
            try:
                rewrite("", {name: value})
            except ValueError as why:
                sys.exit("%s: %s" % (name, why))
        print(rewrite(text, changes), end="")


main(*sys.argv[1:])
