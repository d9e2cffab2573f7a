"""compare_env.py ENV HASHES: whether every variable but the host's own has the hash that the source told; salt on stdin.

Prints how many are equal, or the names of those that are not.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import rewrite_env  # noqa: E402


def main(path, hashes):
    salt = sys.stdin.readline().strip()
    ours = {name: dotenv.fingerprint(salt, name, value) for name, value in dotenv.read(path).items()}
    with open(hashes, encoding="utf-8") as file:
        theirs = json.load(file)
    carried = [name for name in {*ours, *theirs} if name not in rewrite_env.OWN]
    differing = sorted(name for name in carried if ours.get(name) != theirs.get(name))
    print("different: " + ", ".join(differing) if differing else len(carried))
    sys.exit(1 if differing else 0)


main(*sys.argv[1:])
