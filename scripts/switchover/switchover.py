#!/usr/bin/env python3
"""Moves the data to the other server, or finishes or undoes what an earlier run left.

usage: switchover.py SETTINGS forward|back|recover|look

Every step is written down before it is taken. Up to `promote` a failure is undone and the old server serves on. From
`promote` on there is no way but forward: this run tries, then `recover` (run by systemd whenever this process ends badly,
and at boot), then the next `pulumi up`. So at no moment are there two writable primaries, and nobody is left waiting.
"""

import fcntl
import json
import os
import sys
import time

from journal import Journal
from move import Move
from postgres import Refused
from remote import AgentLost, persist
from wire import SqlError

STEPS = [
    "connect", "look", "drain", "warm", "calm", "pause", "fence", "promote", "resume", "answer", "move_redis", "wake", "follow", "tidy",
]
NUMBER = {name: number for number, name in enumerate(STEPS, 1)}
NO_RETURN = NUMBER["promote"]


class Run:
    def __init__(self, settings, journal, direction):
        self.settings, self.journal = settings, journal
        self.move = Move(settings, direction)
        self.reached = 0
        self.times = {}

    def step(self, name):
        self.announce(name)
        self.take(name)

    def announce(self, name):
        """Writes down which numbered step is about to be taken. Syncs to disk only where a power loss would matter."""
        number = NUMBER[name]
        proof = {"fenced": self.move.fenced} if name == "promote" else {}
        try:
            self.journal.write("step", sync=name in ("drain", "pause", "promote"), n=number, name=name, **proof)
        except OSError as error:  # a full disk
            if self.reached < NO_RETURN:
                raise
            print(f"not in the journal: {name}: {error}", flush=True)  # from `promote` on it says enough
        self.reached = max(self.reached, number)
        if not NUMBER["pause"] < number < NUMBER["answer"]:
            self.progress(f"{number} of {len(STEPS)}: {name}")

    def take(self, name):
        begun = time.monotonic()
        getattr(self.move, name)()
        self.times[name] = round((time.monotonic() - begun) * 1000, 1)

    def whole(self):
        self.journal.start(self.move.direction)
        try:
            for name in STEPS[: NO_RETURN - 1]:
                self.step(name)
            self.announce("promote")
        except Exception:
            self.undo()
            raise
        self.onward(10)

    def onward(self, seconds):
        """From `promote` on there is no way but forward, unless the new one refuses, or dies of it before it took a write."""
        try:
            persist(seconds, self.promote)
        except Refused:
            self.undo()
            raise
        for name in STEPS[NO_RETURN:]:
            self.step(name)
        self.journal.write("done", sync=True)
        self.report()

    def promote(self):
        try:
            self.take("promote")
        except (AgentLost, OSError, SqlError) as error:
            if not self.move.stillborn():
                raise
            room = self.move.new.status()["freeMb"]
            raise Refused(
                f"Postgres on the {self.move.new.name} died as it was promoted, before it took a write; its disk has {room} MiB left,"
                f" and its log tells more ({error})"
            ) from error

    def undo(self):
        """Everything as before this run, in the order in which people feel it. Only ever called while the new one is no primary."""
        move, reached = self.move, self.reached
        if reached >= NUMBER["fence"]:
            persist(300, lambda: move.old.unfence(seconds=60))
        if reached >= NUMBER["calm"]:
            move.pooler.point(move.old.name)
            move.pooler.reload_and_resume(30)
        if reached >= NUMBER["drain"]:
            move.sidekiq.wake()
        if reached >= NUMBER["warm"]:
            persist(60, move.cool)
        self.journal.write("undone", sync=True)
        print(f"undone: the {move.old.name} serves on as before, and nothing is lost", flush=True)

    def report(self):
        steps = [{"n": NUMBER[name], "name": name, "ms": ms} for name, ms in self.times.items()]
        figures = {"writePauseMs": None, "rttMs": None, "redisPauseMs": None, **self.move.figures}
        result = {**figures, "drainMs": self.times.get("drain"), "direction": self.move.direction, "steps": steps}
        with open(self.settings["result"] + ".part", "w", encoding="utf-8") as file:
            json.dump(result, file)
        os.rename(self.settings["result"] + ".part", self.settings["result"])

    def progress(self, text):
        with open(self.settings["progress"], "a", encoding="utf-8") as file:
            file.write(text + "\n")
        print(text, flush=True)


def recover(settings, journal):
    """Finishes or undoes the last run if it was broken off; by the journal, and by what the servers are now."""
    entries = journal.unfinished()
    if not entries:
        return
    run = Run(settings, journal, entries[0]["direction"])
    run.reached = max((entry.get("n", 0) for entry in entries), default=0)
    print(f"recovering: the last run ended in step {run.reached}, {STEPS[run.reached - 1]}", flush=True)
    if run.reached < NO_RETURN:
        run.undo()
        return
    run.move.paused_at = next(entry["at"] for entry in entries if entry.get("name") == "pause")
    run.move.fenced = next(entry["fenced"] for entry in entries if "fenced" in entry)
    run.move.patience = 600
    run.onward(600)


def look(settings):
    """Where the data are, and whether everything stands as a finished switchover leaves it."""
    move = Move(settings, "forward")
    target = move.target.status()["role"]
    try:
        source = move.source.connect(3.0).status()["role"]
    except AgentLost:
        source = "unknown"
    at = "target" if target == "primary" else "between" if source == "standby" else "source"
    roles = {"target": ("primary", ("standby", "unknown")), "source": ("standby", ("primary", "unknown"))}
    here, there = roles.get(at, (None, ()))
    links = [(settings["pooler"]["link"], f"trunkline.{at}.ini"), (settings["proxy"]["link"], f"trunkline.{at}.cfg")]
    pointing = all(os.path.islink(link) and os.readlink(link) == wanted for link, wanted in links)
    complete = target == here and source in there and pointing and not Journal(settings["journal"]).unfinished()
    print(json.dumps({"at": at, "target": target, "source": source, "complete": complete}))


def only_one(settings, seconds=660):
    """Two runs at once would undo each other. The one before may be a recovery at boot, which is patient itself."""
    os.makedirs(os.path.dirname(settings["lock"]), mode=0o700, exist_ok=True)  # gone after a reboot
    handle = open(settings["lock"], "w", encoding="utf-8")
    end, said = time.monotonic() + seconds, False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() > end:
                raise Refused(f"another switchover is at work on this server for {seconds} s: see journalctl -u 'trunkline-switchover*'") from None
            if not said:
                print("waiting for another switchover that is at work on this server", flush=True)
            said = True
            time.sleep(0.1)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    if sys.argv[2] == "look":
        return look(settings)
    os.nice(-10)  # people wait for it
    lock = only_one(settings)
    journal = Journal(settings["journal"])
    recover(settings, journal)
    if sys.argv[2] in ("forward", "back"):
        run = Run(settings, journal, sys.argv[2])
        if not run.move.made():
            run.whole()
    return lock.close()


if __name__ == "__main__":
    try:
        main()
    except Exception as problem:
        kind = "" if isinstance(problem, Refused) else f"{type(problem).__name__}: "
        print(f"switchover: {kind}{problem}", flush=True)
        sys.exit(1)
