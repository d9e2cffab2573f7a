"""peak.py CMD…: runs CMD and prints as JSON how long it took and the peak of its memory (VmHWM), in KiB: of its own process, and
of what it starts besides, by name. A process' peak only grows, so that a look now and then misses little of it."""

import glob
import json
import subprocess
import sys
import time


def status(pid):
    try:
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def below(pid):
    """The processes that its threads started, and theirs."""
    children = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path, encoding="utf-8") as file:
                children += [int(word) for word in file.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children + [one for child in children for one in below(child)]


def peak(pid):
    found = status(pid)
    return found.get("Name", ""), int(found.get("VmHWM", "0 kB").split()[0])


began, own, others = time.monotonic(), 0, {}
process = subprocess.Popen(sys.argv[1:])
while process.poll() is None:
    itself, kib = peak(process.pid)
    own = max(own, kib)
    for pid in below(process.pid):
        name, kib = peak(pid)
        # One that was just made still is what made it.
        if name != itself:
            others[name] = max(others.get(name, 0), kib)
    time.sleep(0.02)
print(json.dumps({"seconds": round(time.monotonic() - began, 3), "own": own, "others": others}))
sys.exit(process.returncode)
