"""The reverse forwards on the source: where they listen; and freeing those that a dead tunnel left behind.

When packets vanish silently, the target's ssh gives up after 15 s and connects anew; but sshd here knows nothing of it,
and holds the port for hours. A session whose peer sends nothing, not even the keepalives of every 5 s, is such a one.
"""

import os
import re
import signal
import subprocess

SILENT_MS = 25_000


def reap_stale(ports):
    """Ends the sshd process that listens on one of `ports` if its own connection has been silent for too long."""
    for port in ports:
        for pid in _holders(port):
            silence = _silence(pid)
            if silence is not None and silence > SILENT_MS:
                print(f"port {port}: its tunnel (sshd, process {pid}) has been silent for {silence} ms; ended", flush=True)
                os.kill(pid, signal.SIGTERM)


def listening(ports):
    """What `ports` are listened on at, as `ss` writes it: 127.0.0.1:26379, [::]:26379."""
    lines = [line for port in ports for line in _ss("-l", f"sport = :{port}").splitlines()]
    return [line.split()[3] for line in lines if line.startswith("LISTEN")]


def _ss(*arguments):
    return subprocess.run(["ss", "-Hntpi", *arguments], capture_output=True, text=True, timeout=5, check=False).stdout


def _holders(port):
    text = _ss("-l", f"sport = :{port}")
    return {int(pid) for pid in re.findall(r'"sshd[^"]*",pid=(\d+)', text)}


def _silence(pid):
    """Milliseconds since anything, data or an acknowledgement, came in on that sshd's connection."""
    lines = _ss("state", "established").splitlines()
    for head, detail in zip(lines[0::2], lines[1::2]):
        if f"pid={pid}," in head and "127.0.0.1" not in head:
            ages = [int(age) for age in re.findall(r"last(?:rcv|ack):(\d+)", detail)]
            return min(ages) if ages else None
    return None
