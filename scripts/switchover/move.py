"""The move of the data from one server to the other, step by step. Either direction: old and new are source and target or the reverse."""

import time

from pooler import Pooler
from postgres import Postgres, Refused
from proxy import Proxy
from redislink import Redis
from redismove import RedisMove
from remote import AgentLost, Remote, persist
from sidekiq import Sidekiq
from wire import SqlError

MAX_LAG = 256 << 10  # bytes of WAL; what is missing at the pause is waited for
MIN_ROOM = 256  # MiB on the disk of the one to be promoted, which begins a new timeline


class Move:
    """Its step methods look first, so that a broken run can be finished by calling them again."""

    def __init__(self, settings, direction):
        self.settings, self.direction = settings, direction
        self.deadline = settings["deadlineMs"] / 1000
        self.target = Postgres(settings["postgres"])
        self.source = Remote("source", settings["agent"]["port"], settings["agent"]["token"])
        self.old, self.new = (self.source, self.target) if direction == "forward" else (self.target, self.source)
        self.pooler, self.proxy = Pooler(settings["pooler"]), Proxy(settings["proxy"], settings["redis"]["proxyPort"])
        self.redis = RedisMove(settings["redis"], self.old.name, self.new.name) if settings["carryRedis"] else None
        self.sidekiq = Sidekiq(settings["sidekiqUnits"], self.queues)
        self.patience = 60  # seconds for the other server to come back
        self.fenced = None  # what pg_control of the old one said once it was down
        self.figures = {}
        self.begun = None  # of the pause, by the monotonic clock
        self.paused_at = None  # the same by the wall clock, where an earlier run began it

    def queues(self):
        redis = self.settings["redis"]
        return Redis("Redis with the queues", redis["proxyPort"], redis["login"], redis["login"]["database"])

    def made(self):
        """Whether the new side is the primary already: a recovery may just have finished the move."""
        return self.new.status()["role"] == "primary" and self.old.status()["role"] == "standby"

    # Before the pause: any failure is harmless

    def connect(self):
        """Everything that the pause will need; patient, since a server may just have been rebooted."""
        persist(60, self.source.connect)
        self.new.arise(seconds=60)
        persist(60, lambda: self.pooler.connect().connect_probe())
        if self.redis:
            persist(60, self.redis.connect)
        trips = []
        for _ in range(7):
            begun = time.monotonic()
            self.source.ping()
            trips.append((time.monotonic() - begun) * 1000)
        self.figures["rttMs"] = round(sorted(trips)[3], 1)

    def look(self):
        old, new = settled(self.old), settled(self.new)
        if old["systemId"] != new["systemId"]:
            raise Refused(
                f"Postgres on the {self.new.name} is a standby of another database: its system identifier is {new['systemId']},"
                f" and the {self.old.name}'s {old['systemId']}"
            )
        if (old["role"], new["role"]) != ("primary", "standby"):
            raise Refused(f"{self.old.name} is {old['role']} and {self.new.name} {new['role']}; expected the primary and its standby")
        if self.redis:
            self.redis.await_link(60)
            self.redis.check()

    def drain(self):
        self.sidekiq.drain(self.settings["drainSeconds"])

    def warm(self):
        """Slot and settings for the way back, and little left to write for the shutdown checkpoint."""
        self.find_room()
        self.new.keep_slot(slot=slot_of(self.old))
        self.old.follow_settings(slot=slot_of(self.old), application=slot_of(self.old))
        self.new.hurry(on=True)
        if self.redis:
            self.redis.warm()
        if self.new is self.source:
            self.pooler.warm_relay()
        # Two: the first writes all buffers, the second what was dirtied meanwhile.
        self.old.checkpoint(times=2, seconds=600)
        self.new.checkpoint(times=1, seconds=600)

    def calm(self, seconds=30):
        """Until nothing is in sight that would make the pause long; names what is."""
        end, filled = time.monotonic() + seconds, False
        while True:
            unrest = self.old.unrest(follower=slot_of(self.new))
            found = describe(unrest)
            timeline = self.new.receiving()
            if not found and timeline and filled:
                self.timeline = timeline
                break
            if not found and not filled:
                filled = self.old.fill_segment() is None
                continue
            if time.monotonic() > end:
                raise Refused(f"no calm moment on {self.old.name} within {seconds} s: {found or 'the standby does not stream'}")
            time.sleep(0.1)
        self.find_room()
        self.pooler.ready_for_window()

    def find_room(self):
        room = self.new.status()["freeMb"]
        if room < MIN_ROOM:
            raise Refused(f"no space to promote: the disk of Postgres on the {self.new.name} has {room} MiB left; free at least {MIN_ROOM}")

    def cool(self):
        """Undoes `warm` on the new one; if it is down, the next run finds there what it would make."""
        if self.new.status()["role"] != "down":
            self.new.hurry(on=False)
            self.new.drop_slot(slot=slot_of(self.old), seconds=20)

    # The pause

    def pause(self):
        self.begun = time.monotonic()
        self.figures["pausedAtMs"] = round(time.time() * 1000)
        try:
            # A client like any other: its answer is the end of the pause.
            self.pooler.pause(min(1.5, self.deadline / 2), write="SELECT txid_current(), pg_is_in_recovery()")
        except TimeoutError as error:
            held = "; ".join(self.pooler.blockers() + self.old.unrest(follower=slot_of(self.new))["long"])
            raise Refused(f"a transaction stayed open, and PAUSE waits for it: {held or 'it has ended since'}") from error

    def fence(self):
        left = self.deadline - (time.monotonic() - self.begun)
        self.fenced = self.old.fence(seconds=round(left, 3))
        if self.fenced["timeline"] != self.timeline:
            raise Refused(f"{self.old.name} shut down on timeline {self.fenced['timeline']}, {self.new.name} received {self.timeline}")

    def promote(self):
        proof = {key: self.fenced[key] for key in ("location", "systemId", "timeline")}
        done = self.new.promote(location=proof["location"], system_id=proof["systemId"], timeline=proof["timeline"], seconds=2.0)
        self.figures.update(done)

    def stillborn(self):
        """Whether the new one died of its promotion, with nothing written. If that can't be known, it is not said."""
        try:
            return self.new.stillborn(timeline=self.fenced["timeline"])
        except (AgentLost, OSError, RuntimeError):
            return False

    def resume(self):
        self.pooler.point(self.new.name)
        self.pooler.reload_and_resume()

    # After it: the service is up again, and what is left can be done again

    def answer(self):
        """The held write is answered by the new primary."""
        if self.pooler.probe and self.begun:
            try:
                in_recovery = self.pooler.probe.receive(10.0)[0][1]
                self.figures["writePauseMs"] = round((time.monotonic() - self.begun) * 1000, 1)
                if in_recovery == "t":
                    raise Refused("a write through PgBouncer reached a standby")
                return
            except (OSError, SqlError):
                pass  # PgBouncer died meanwhile, and the probe with it
        self.pooler.connect_probe(10.0)
        self.pooler.probe.query("SELECT txid_current()", 10.0)
        if self.paused_at:
            self.figures["writePauseMs"] = round((time.time() - self.paused_at) * 1000, 1)
            self.figures["pausedAtMs"] = round(self.paused_at * 1000)
            self.paused_at = None

    def move_redis(self):
        persist(self.patience, self.source.connect)
        if not self.redis:
            self._flip()
            self.proxy.cut(self.old.name)
            return
        self.redis.connect()
        self.redis.only_one(self.proxy.leads_to())
        self.redis.await_link(60)
        self.figures["redisPauseMs"] = self.redis.run(self._flip, self.proxy.held)
        time.sleep(0.2)  # READONLY first, cut later
        self.proxy.cut(self.old.name)
        self.redis.settle(60)

    def _flip(self):
        self.proxy.point(self.new.name)

    def wake(self):
        self.sidekiq.wake()

    def follow(self, seconds=120):
        """The old primary follows the new one: the way back is open."""
        self.new.keep_slot(slot=slot_of(self.old))
        self.old.follow(seconds=seconds)
        end = time.monotonic() + seconds
        while not self.old.receiving():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.old.name} is a standby, but does not stream from {self.new.name} within {seconds} s")
            time.sleep(0.05)

    def tidy(self):
        """The slot that fed the new one came along and would keep WAL for ever."""
        for server in (self.old, self.new):
            server.drop_slot(slot=slot_of(self.new), seconds=20)
            server.hurry(on=False)
        self.pooler.back_to_normal()


def slot_of(side):
    """Name of the slot and of the walreceiver with which a side follows the other."""
    return f"trunkline_{side.name}"


def settled(server, seconds=60):
    """Its status, once it takes clients in: after a power cut it has WAL to read again."""
    end = time.monotonic() + seconds
    while (status := server.status())["role"] == "starting" and time.monotonic() < end:
        time.sleep(0.2)
    return status


def describe(unrest):
    """What disturbs, in words; empty if nothing does."""
    parts = []
    for key, words in (
        ("long", "transactions open for long"),
        ("strays", "clients that do not come through PgBouncer"),
        ("senders", "other receivers of WAL, which can hang the shutdown"),
        ("prepared", "prepared transactions"),
    ):
        if unrest[key]:
            parts.append(f"{words}: {'; '.join(unrest[key])}")
    if unrest["lag"] is None:
        parts.append("the standby does not stream")
    elif unrest["lag"] > MAX_LAG:
        parts.append(f"the standby is {unrest['lag']} bytes behind")
    return ". ".join(parts)
