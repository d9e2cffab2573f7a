"""Reads pg_control: what a Postgres that may be down last wrote about itself."""

import os
import struct
import subprocess

SHUT_DOWN = 1  # DBState of a primary after its shutdown checkpoint, once every connected standby has it

RECOVERING = ("in archive recovery", "shut down in recovery")  # a standby, and one that has not been promoted to the end


def state_number(data):
    """The cluster state, straight from the file: 8 bytes system id, 4 + 4 versions, then the state. Cheap enough to poll."""
    with open(os.path.join(data, "global/pg_control"), "rb") as control:
        return struct.unpack("=i", control.read(20)[16:])[0]


def read(bin_dir, data):
    """The same from pg_controldata, which also checks the checksum."""
    text = subprocess.run(
        [os.path.join(bin_dir, "pg_controldata"), data],
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}, capture_output=True, text=True, timeout=10, check=True,
    ).stdout
    values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    value = {name: text.strip() for name, text in values.items()}
    return {
        "state": value["Database cluster state"],
        "systemId": value["Database system identifier"],
        "location": value["Latest checkpoint location"],
        "timeline": int(value["Latest checkpoint's TimeLineID"]),
    }
