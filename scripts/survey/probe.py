"""How the survey looks: each look has its deadline, and one that fails is told of and leaves a gap, nothing more."""

import os
import subprocess
import threading

unread = []
starting = []  # parts that do not answer yet, and are on their way
_lock = threading.Lock()


class Unreadable(Exception):
    """Something could not be read; the text says why."""


def run(command, seconds=8, text=None):
    """Output of a command; Unreadable if it fails, is not there or takes too long."""
    try:
        done = subprocess.run(
            command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True, errors="surrogateescape", timeout=seconds,
            stdin=None if text is not None else subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
    except FileNotFoundError:
        raise Unreadable("%s is not installed" % command[0]) from None
    except subprocess.TimeoutExpired:
        raise Unreadable("%s took longer than %d s" % (command[0], seconds)) from None
    if done.returncode:
        raise Unreadable("%s: %s" % (command[0], last_line(done.stderr) or "status %d" % done.returncode))
    return done.stdout


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else ""


def note(what, why):
    with _lock:
        unread.append({"what": what, "why": str(why)})


def look(what, how, *args, default=None):
    """The answer of `how`, or the default with a note of what could not be read."""
    try:
        return how(*args)
    except (Unreadable, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as why:
        note(what, why if isinstance(why, Unreadable) else "%s: %s" % (type(why).__name__, why))
        return default


def together(**looks):
    """Several looks at once: name=(what, how, *args)."""
    answers = {}

    def one(name, what, how, *args):
        answers[name] = look(what, how, *args)

    threads = [threading.Thread(target=one, args=(name, *spec), daemon=True) for name, spec in looks.items()]
    for thread in threads:
        thread.start()
    for name, thread in zip(looks, threads):
        thread.join(20)
        if thread.is_alive():
            note(looks[name][0], "took longer than 20 s")
    return {name: answers.get(name) for name in looks}


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def properties(names, wanted, seconds=8):
    """`systemctl show` of several units: name → {property: value}."""
    if not names:
        return {}
    shown = run(["systemctl", "show", "--property=Id,Names," + ",".join(wanted), "--", *names], seconds)
    found = {}
    for part in shown.split("\n\n"):
        fields = dict(line.split("=", 1) for line in part.strip().splitlines() if "=" in line)
        if fields.get("Id"):
            found[fields["Id"]] = fields
    return found


def await_units(what, patterns):
    """Notes a part that does not answer, where a unit of it is about to start (or to stop, as at a reboot): waiting helps."""
    listed = run(["systemctl", "list-units", "--all", "--no-legend", "--plain", *patterns])
    names = [line.split()[0] for line in listed.splitlines() if line.split()]
    moving = ("activating", "deactivating", "reloading")
    for unit in properties(names, ["ActiveState", "Job"]).values():
        if unit.get("ActiveState") in moving or unit.get("Job", "0") not in ("", "0"):
            return note_start(what)


def unit_of(pid):
    """The service that a process of this host runs in; None for one of a container, or started by hand."""
    for line in read("/proc/%d/cgroup" % pid).splitlines():
        name = line.rsplit("/", 1)[-1]
        if name.endswith(".service"):
            return name
    return None


def note_start(what):
    with _lock:
        starting.append(what)
