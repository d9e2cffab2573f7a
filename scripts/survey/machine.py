"""The host itself: system, login, clock, disks, sshd, tools."""

import os
import platform
import pwd
import re
import shutil
import socket
import time

import firewall
from probe import Unreadable, look, read, run

TOOLS = ("rsync", "python3", "node", "ssh", "nginx", "systemctl", "sudo", "curl", "pg_lsclusters", "rclone", "certbot")


def host():
    release = look("os release", os_release, default={})
    addresses = look("addresses", interface_addresses, default={"ipv4": [], "ipv6": []})
    memory = re.search(r"MemTotal:\s+(\d+) kB", read("/proc/meminfo"))
    flags = read("/proc/cpuinfo")
    return {
        "name": socket.gethostname(),
        "os": {"id": release.get("ID", ""), "version": release.get("VERSION_ID", ""), "name": release.get("PRETTY_NAME", "")},
        "arch": platform.machine(),
        "libc": look("libc", libc, default={"kind": "unknown", "version": ""}),
        "cpus": os.cpu_count() or 1,
        "memoryBytes": int(memory[1]) * 1024 if memory else 0,
        "python": platform.python_version(),
        "login": login(),
        "clock": {"epochMs": int(time.time() * 1000), "synchronized": look("clock", synchronized)},
        "addresses": addresses,
        "aes": bool(re.search(r"^(flags|Features)\s*:.*\baes\b", flags, re.M)),
    }


def os_release():
    fields = re.findall(r"^([A-Z_]+)=(.*)$", read("/etc/os-release"), re.M)
    return {name: value.strip("\"'") for name, value in fields}


def libc():
    kind, version = platform.libc_ver()
    if kind == "glibc":
        return {"kind": "glibc", "version": version}
    musl = any(name.startswith("ld-musl") for name in os.listdir("/lib"))
    return {"kind": "musl" if musl else "unknown", "version": version}


def login():
    user = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    root = pwd.getpwnam(user).pw_uid == 0
    return {"user": user, "root": root, "sudo": root or os.geteuid() == 0}


def synchronized():
    answer = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"]).strip()
    return {"yes": True, "no": False}.get(answer)


def interface_addresses():
    shown = run(["ip", "-o", "addr", "show", "scope", "global"])
    return {
        "ipv4": re.findall(r"\binet (\S+?)/", shown),
        "ipv6": re.findall(r"\binet6 (\S+?)/", shown),
    }


def tools():
    return {name: look(name, version_of, name) for name in TOOLS}


def version_of(name):
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        return None
    if name == "python3":
        return platform.python_version()
    if name in ("rsync", "node"):
        number = re.search(r"\d+\.\d+(\.\d+)?", run([path, "--version"]))
        return number[0] if number else "yes"
    return "yes"


def disks(places):
    """The file systems that hold the places, each once."""
    found = {}
    for place in places:
        place = nearest(place)
        mount = mount_of(place)
        if mount["mount"] in found:
            continue
        space = os.statvfs(place)
        found[mount["mount"]] = {
            **mount,
            "totalBytes": space.f_blocks * space.f_frsize,
            "freeBytes": space.f_bavail * space.f_frsize,
            "flushMs": look("flush time of " + mount["device"], flush_time, place),
        }
    return list(found.values())


def nearest(path):
    """The path, or the closest folder above it that is there."""
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    return os.path.realpath(path or "/")


def mount_of(path):
    """The mounted file system that a path lies on."""
    best = {"mount": "/", "device": "", "fsType": ""}
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), left.split()[4])
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best["mount"]):
            best = {"mount": point, "device": right.split()[1], "fsType": right.split()[0]}
    return best


def flush_time(path):
    """Mean milliseconds of a cache flush since boot; fields 19 and 20 of diskstats, on kernels that count them."""
    device = os.stat(path).st_dev
    for line in read("/proc/diskstats").splitlines():
        fields = line.split()
        if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)) and len(fields) >= 20:
            return round(int(fields[19]) / int(fields[18]), 3) if int(fields[18]) else None
    return None


def sshd():
    path = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin") or "sshd"
    user = login()["user"]
    shown = run([path, "-T", "-C", "user=%s,host=localhost,addr=127.0.0.1" % user])
    fields = dict(line.split(" ", 1) for line in reversed(shown.splitlines()) if " " in line)
    key = "/etc/ssh/ssh_host_ed25519_key.pub"
    return {
        "port": int(fields.get("port", 22)),
        "allowTcpForwarding": forwarding(fields),
        "gatewayPorts": fields.get("gatewayports", "no"),
        "limits": firewall.limits(int(fields.get("port", 22))),
        "ed25519HostKey": " ".join(read(key).split()[:2]) if os.path.exists(key) else None,
    }


def forwarding(fields):
    """AllowTcpForwarding of sshd -T, unless DisableForwarding, which is told apart from it, makes nothing of it."""
    return "no" if fields.get("disableforwarding") == "yes" else fields.get("allowtcpforwarding", "yes")


def peer(address):
    """Round trip to the other side: the time of a TCP connect, the best of three."""
    name, _, port = address.rpartition(":")
    best, error = None, None
    for _ in range(3):
        began = time.monotonic()
        try:
            socket.create_connection((name.strip("[]"), int(port)), 2).close()
        except OSError as why:
            error = str(why)
            break
        took = (time.monotonic() - began) * 1000
        best = took if best is None else min(best, took)
    return {"address": address, "rttMs": None if best is None else round(best, 2), "error": error}
