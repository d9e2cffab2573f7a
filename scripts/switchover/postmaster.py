"""The postmaster as a process of its host: its pid file, its unit, its standby.signal."""

import os
import signal
import subprocess
import time

import controldata


class Postmaster:
    """`data` is the data directory, `unit` the systemd unit that starts it."""

    def __init__(self, data, unit):
        self.data = data
        self.unit = unit
        self.signal_file = os.path.join(data, "standby.signal")

    def pidfile(self):
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as lines:
                return lines.read().splitlines()
        except FileNotFoundError:
            return []

    def pid(self):
        lines = self.pidfile()
        pid = int(lines[0]) if lines else 0
        return pid if pid and os.path.exists(f"/proc/{pid}") and "postgres" in _command(pid) else 0

    def says(self):
        lines = self.pidfile()
        return lines[7].strip() if len(lines) > 7 else ""

    def mark_standby(self, on, sync=True):
        """Without `sync` it survives whatever ends a process, but not a power cut."""
        if on:
            handle = os.open(self.signal_file, os.O_CREAT | os.O_WRONLY, 0o600)
            owner = os.stat(self.data)
            os.fchown(handle, owner.st_uid, owner.st_gid)
            if sync:
                os.fsync(handle)
            os.close(handle)
        elif os.path.exists(self.signal_file):
            os.unlink(self.signal_file)
        if sync:
            folder = os.open(self.data, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def await_exit(self, seconds, patience):
        """Waits for the postmaster to end; after `patience` seconds hurries what may hold it up, without harm to the data."""
        begun = time.monotonic()
        while self.pid():
            if time.monotonic() > begun + seconds:
                raise TimeoutError(f"Postgres (process {self.pid()}) has not ended within {seconds} s of its shutdown")
            if time.monotonic() > begun + patience:
                self._hasten()
            time.sleep(0.02)

    def _hasten(self):
        """A hung standby keeps its walsender alive, a slow archive_command its archiver: end these, never the postmaster."""
        parent = {pid: _parent(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))}
        for pid, above in parent.items():
            if above == self.pid() and "walsender" in _command(pid):
                _kill(pid, signal.SIGTERM)
            elif "archiver" in _command(above) and parent.get(above) == self.pid():
                _kill(pid, signal.SIGKILL)  # the command, so that the archiver itself ends in order

    def stillborn(self, bin_dir, timeline):
        """Whether it died in its promotion before it could take a write, as pg_control knows. Then it can only start as a standby."""
        if self.pid():
            return False
        self._systemctl("stop", 60)  # and whatever was about to start it
        if self.pid() or controldata.read(bin_dir, self.data)["state"] not in controldata.RECOVERING:
            return False
        self.mark_standby(True)
        history = os.path.join(self.data, "pg_wal", f"{timeline + 1:08X}.history")
        if os.path.exists(history):
            os.unlink(history)  # it would wait for a timeline that never came to be
        return True

    def start(self):
        """Without waiting for systemctl, which is seconds late: whoever starts it looks for itself."""
        self._systemctl("reset-failed", 10, check=False)
        self._systemctl("start", 10, "--no-block")

    def start_if_dropped(self):
        """systemd takes a start for done as long as it has not seen that the last postmaster ended, and then nobody starts it."""
        if not self.pid() and self._systemctl("show", 10, "--property=ActiveState", "--value") == "inactive":
            self.start()

    def stop(self, seconds):
        self._systemctl("stop", seconds)

    def _systemctl(self, action, seconds, *options, check=True):
        done = subprocess.run(
            ["systemctl", action, *options, self.unit], capture_output=True, text=True, timeout=seconds, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"systemctl {action} {self.unit} failed: {done.stderr.strip()}")
        return done.stdout.strip()


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return text.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as text:
            return int(text.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _kill(pid, how):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass
