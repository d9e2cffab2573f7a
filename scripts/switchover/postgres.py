"""One Postgres server, governed from its own host. The verbs are the same on both sides: the controller calls them here or through the agent."""

import os
import signal
import time

import controldata
from postmaster import Postmaster
from wire import Connection, SqlError

APP = "trunkline_app"  # the role PgBouncer logs in with


class Refused(Exception):
    """A verb looked first, and what it found forbids it. Nothing was done."""


class Postgres:
    """`settings`: name, port, data, bin, unit, database, and how it follows the other side: followPort, followPassfile."""

    def __init__(self, settings):
        self.settings = settings
        self.name = settings["name"]
        self.data = settings["data"]
        self.process = Postmaster(self.data, settings["unit"])
        self.session = None

    # Looking

    def ping(self):
        return "pong"

    def status(self):
        """Role as it is now: primary, standby or down, with what pg_control says, and the room on its disk."""
        disk = os.statvfs(self.data)
        return {**controldata.read(self.settings["bin"], self.data), "role": self._role(), "freeMb": disk.f_bavail * disk.f_frsize >> 20}

    def unrest(self, follower):
        """What would make a switchover long, or unsafe: long transactions, other clients, other walsenders, lag."""
        long = self.sql(
            "SELECT format('pid %s, user %s, application %s, %s for %s s', pid, usename, quote_literal(application_name), state,"
            " round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 1)) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '500 ms'"
        )
        strays = self.sql(
            "SELECT format('pid %s, user %s, application %s, from %s', pid, usename, quote_literal(application_name),"
            " coalesce(host(client_addr), 'this host')) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            f" AND datname = {_literal(self.settings['database'])} AND usename <> '{APP}' AND application_name <> 'trunkline'"
        )
        senders = self.sql(
            "SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint, pid FROM pg_stat_replication"
        )
        ours = [row for row in senders if row[0] == follower and row[1] == "streaming"]
        prepared = self.sql("SELECT gid FROM pg_prepared_xacts")
        return {
            "long": [row[0] for row in long],
            "strays": [row[0] for row in strays],
            "senders": [f"{row[0] or 'without a name'} (pid {row[3]}, {row[1]})" for row in senders if row[0] != follower],
            "prepared": [row[0] for row in prepared],
            "lag": int(ours[0][2] or 0) if ours else None,
        }

    def receiving(self):
        """Timeline this standby receives, or None while it does not stream."""
        rows = self.sql("SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming'")
        return int(rows[0][0]) if rows else None

    # Making ready

    def checkpoint(self, times, seconds=120):
        """Writes dirty pages now, so that little is left for the shutdown; then lets the disk come to rest."""
        for _ in range(times):
            self.sql("CHECKPOINT", seconds)
        os.sync()
        end = time.monotonic() + 3
        while _writeback_kb() > 1024 and time.monotonic() < end:
            time.sleep(0.02)
        return None

    def follow_settings(self, slot, application):
        """How to follow the other side, once this is a standby. No effect on a primary."""
        conninfo = (
            f"host=127.0.0.1 port={self.settings['followPort']} user=trunkline_repl sslmode=disable"
            f" passfile={self.settings['followPassfile']} application_name={application}"
        )
        for name, value in (("primary_conninfo", conninfo), ("primary_slot_name", slot), ("wal_retrieve_retry_interval", "50ms")):
            self.sql(f"ALTER SYSTEM SET {name} = {_literal(value)}")
        self.sql("SELECT pg_reload_conf()")

    def fill_segment(self, leave=256 << 10):
        """With archiving on, a shutdown pads the WAL segment, and the padding goes through the tunnel: pad it before the pause."""
        if self.sql("SHOW archive_mode")[0][0] == "off":
            return
        left = int(self.sql(
            "SELECT s.size - pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') % s.size FROM"
            " (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size') AS s"
        )[0][0])
        if left > 2 * leave:
            self.sql(f"SELECT pg_logical_emit_message(false, 'trunkline', repeat('-', {left - leave}))", 30.0)

    def hurry(self, on):
        """Standby: cancel queries that hold replay up. Only for the window, since it also cancels honest readers."""
        self.sql("ALTER SYSTEM SET max_standby_streaming_delay = 0" if on else "ALTER SYSTEM RESET max_standby_streaming_delay")
        self.sql("SELECT pg_reload_conf()")

    def keep_slot(self, slot):
        """A slot keeps the WAL that the other side needs to follow. It may be made on a standby."""
        self.sql(
            f"SELECT pg_create_physical_replication_slot('{slot}', true)"
            f" WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{slot}')"
        )

    def drop_slot(self, slot, seconds=20):
        """Drops it as soon as nobody uses it."""
        end = time.monotonic() + seconds
        while self.sql(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{slot}'"):
            self.sql(
                f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}' AND NOT active"
            )
            if time.monotonic() > end:
                raise Refused(f"slot {slot} is in use for {seconds} s")
            time.sleep(0.05)

    # The switch

    def fence(self, seconds, wanted=lambda: True):
        """Shuts this primary down clean, with standby.signal in place first: whatever starts it again gets a standby."""
        pid = self.process.pid()
        busy = self.sql(
            "SELECT format('pid %s, user %s, application %s', pid, usename, quote_literal(application_name)) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        if busy or not pid:
            raise Refused(f"clients besides the pooler are at work: {'; '.join(row[0] for row in busy)}" if busy else "it is not running")
        self.process.mark_standby(True, sync=False)
        if not wanted():
            self.process.mark_standby(False)
            raise Refused("the controller has gone")
        self._forget()
        os.kill(pid, signal.SIGINT)
        end = time.monotonic() + seconds
        # While it shuts down: a power cut before this one comes up as the primary, and nothing has been promoted yet.
        self.process.mark_standby(True)
        # Not the postmaster's exit: it may wait for archive_command long after the last WAL has reached the standby.
        while controldata.state_number(self.data) != controldata.SHUT_DOWN:
            if time.monotonic() > end:
                raise TimeoutError(f"no clean shutdown within {seconds:.1f} s; pg_controldata says {self.status()['state']}")
            time.sleep(0.002)
        return controldata.read(self.settings["bin"], self.data)

    def unfence(self, seconds=60):
        """Undoes fence: a primary again, from wherever it stands. Only for a server whose successor has not been promoted."""
        self.process.mark_standby(False)
        role = self._role()
        if role == "primary" and self.process.says() != "stopping":
            return "was not fenced"
        if role == "standby":
            self.process.stop(seconds)
        self.process.await_exit(seconds, patience=0)
        self.process.start()
        self._await_role("primary", seconds)
        return "started"

    def follow(self, seconds=120):
        """The old primary, shut down, starts as a standby of the new one."""
        self.process.mark_standby(True)
        if self._role() != "standby" or self.process.says() == "stopping":
            self.process.await_exit(seconds, patience=15)
            self.process.start()
            self._await_role("standby", seconds)

    def promote(self, location, system_id, timeline, seconds):
        """No proof, no promote: only with everything replayed that the old primary wrote before its clean shutdown."""
        if self.sql("SELECT NOT pg_is_in_recovery()")[0][0] == "t":
            return {"proofMs": 0, "promoteMs": 0}
        started = time.monotonic()
        proof = (
            f"SELECT system_identifier = {_literal(system_id)}, coalesce(pg_last_wal_replay_lsn() > {_literal(location)}::pg_lsn, false),"
            " pg_last_wal_replay_lsn(), system_identifier FROM pg_control_system()"
        )
        while True:
            same, replayed, lsn, found = self.sql(proof)[0]
            if same != "t":
                raise Refused(f"this is another database: system identifier {found}, not {system_id}")
            if replayed == "t":
                break
            if time.monotonic() > started + seconds:
                raise Refused(f"replayed only to {lsn}, and the old primary's last checkpoint is at {location} on timeline {timeline}")
            time.sleep(0.001)
        proved = time.monotonic()
        self.sql("SELECT pg_promote(false)")  # true would poll at 100 ms
        while self.sql("SELECT pg_is_in_recovery()")[0][0] == "t":
            if time.monotonic() > proved + 10:
                raise TimeoutError("promotion was begun and has not ended within 10 s")
            time.sleep(0.001)
        return {"proofMs": _ms(started, proved), "promoteMs": _ms(proved, time.monotonic())}

    def stillborn(self, timeline):
        return self.process.stillborn(self.settings["bin"], timeline)

    def arise(self, seconds):
        """Starts a standby that has ended. Never a primary: what ended it may have made the other side one."""
        if self._role() == "down" and os.path.exists(self.process.signal_file):
            self.process.start()
            self._await_role("standby", seconds)

    # Parts

    def sql(self, text, seconds=5.0):
        """As Postgres' superuser, on one session that stays open. Asked again once if the session had died; all verbs bear that."""
        if self.session:
            try:
                return self.session.query(text, seconds)
            except (ConnectionError, BrokenPipeError):
                self._forget()
            except SqlError as error:
                if not error.code.startswith("57P"):  # the server is going down, or ended this session
                    raise
                self._forget()
        lines = self.process.pidfile()
        address = f"{lines[4] if len(lines) > 4 else '/var/run/postgresql'}/.s.PGSQL.{self.settings['port']}"
        options = {"options": "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c synchronous_commit=local"}
        try:
            self.session = Connection(address, "postgres", self.settings["database"], system_user="postgres", seconds=seconds, options=options)
        except FileNotFoundError as error:
            raise ConnectionError(f"Postgres on the {self.name} is down: there is no {address}; its log says why") from error
        return self.session.query(text, seconds)

    def _forget(self):
        if self.session:
            self.session.close()
        self.session = None

    def _role(self):
        if not self.process.pid():
            return "down"
        try:
            return "standby" if self.sql("SELECT pg_is_in_recovery()", 2.0)[0][0] == "t" else "primary"
        except (OSError, SqlError):
            self._forget()
            return "down" if not self.process.pid() else "starting"

    def _await_role(self, role, seconds):
        now = asked = time.monotonic()
        end = now + seconds
        while self._role() != role:
            now = time.monotonic()
            if now > asked + 1:
                self.process.start_if_dropped()
                asked = now
            if now > end:
                raise TimeoutError(f"Postgres is not a {role} within {seconds} s of its start, but {self._role()}: see `journalctl -u {self.settings['unit']}` and its log")
            time.sleep(0.01)


def _ms(since, until):
    return round((until - since) * 1000, 1)


def _literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def _writeback_kb():
    with open("/proc/meminfo", encoding="ascii") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Writeback:"))
