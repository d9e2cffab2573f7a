"""PgBouncer as the switch: it holds queries, it does not refuse them."""

import os
import time

from wire import Connection, SqlError

PLAIN = {"application_name": ""}  # as the app's clients: PgBouncer sets what differs, and each time that is a round trip


def point(link, name):
    """Makes the symbolic link `link` point to the file `name` beside it, in one step that a reboot cannot halve."""
    if os.path.islink(link) and os.readlink(link) == name:
        return
    part = link + ".part"
    if os.path.lexists(part):
        os.unlink(part)
    os.symlink(name, part)
    os.rename(part, link)


class Pooler:
    """`settings`: socketDir, relayDir, port, link (to the configuration for source or target), database, user, password."""

    def __init__(self, settings):
        self.settings = settings
        self.admin = self.second = self.probe = None

    def connect(self, seconds=5.0):
        """Two consoles, since a PAUSE that hangs can only be ended from another one, and a client like any other."""
        self.close()
        self.admin, self.second = self._console(seconds), self._console(seconds)
        return self

    def connect_probe(self, seconds=5.0):
        self.probe = Connection(
            ("127.0.0.1", self.settings["port"]), self.settings["user"], self.settings["database"], self.settings["password"],
            seconds=seconds, options=PLAIN,
        )
        return self.probe.query("SELECT pg_is_in_recovery()", seconds)

    def close(self):
        for connection in (self.admin, self.second, self.probe):
            if connection:
                connection.close()
        self.admin = self.second = self.probe = None

    def pause(self, seconds, write):
        """Waits for running transactions and holds all new ones, `write` first; gives up, and serves on, after `seconds`."""
        try:
            self.admin.send("PAUSE")
            self.probe.send(write)  # whoever asks now waits longest, as a client may
            self.admin.receive(seconds)
            if self.probe.answered():  # it came before the PAUSE
                self.probe.receive()
                self.probe.send(write)
        except (TimeoutError, OSError):
            # Giving up does not cancel it: the pooler would stay paused.
            self.second.query("RESUME", 5.0)
            self.connect()
            raise

    def warm_relay(self, count=20, seconds=20.0):
        """Makes the relay log in to the source ahead of time, which its standby allows too; PgBouncer makes one at a time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                return self._at_once(count, end)
            except (OSError, SqlError):
                time.sleep(0.2)  # it finds out that its connections died with the last switch; or fewer will do on a slow link
        return None

    def _at_once(self, count, end):
        """So many open transactions at the same time need as many server connections."""
        path, clients = f"{self.settings['relayDir']}/.s.PGSQL.{self.settings['port']}", []
        try:
            for _ in range(count):
                clients.append(Connection(path, self.settings["user"], self.settings["database"], system_user="postgres", seconds=10, options=PLAIN))
                clients[-1].send("BEGIN")
            for client in clients:
                client.receive(max(end - time.monotonic(), 0.01))
            # A client that leaves within its transaction takes the server connection with it.
            for client in clients:
                client.query("ROLLBACK")
        finally:
            for client in clients:
                client.close()

    def ready_for_window(self):
        """No login may be under way at the switch, and a failed one may not be remembered for 15 s."""
        self.admin.query("SET server_login_retry = '0.05'")
        self.admin.query("SET min_pool_size = 0")

    def back_to_normal(self):
        self.admin.query("RELOAD")

    def point(self, side):
        point(self.settings["link"], f"trunkline.{side}.ini")

    def reload_and_resume(self, seconds=5.0):
        """Back to back on one connection: between the two a new client would need a server that is not there yet."""
        end = time.monotonic() + seconds
        while True:
            try:
                if not self.admin:
                    self.connect(1.0)
                self.admin.send("RELOAD")
                self.admin.receive(2.0)
                return self._resume()
            except OSError:
                self.close()  # PgBouncer died; systemd starts it again
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _resume(self):
        try:
            self.admin.query("RESUME", 2.0)
        except SqlError as error:
            if "not paused" not in str(error):
                raise

    def paused(self):
        return any(row[9] == "1" for row in self.admin.query("SHOW DATABASES"))

    def host(self):
        """Host of the app's database as PgBouncer has it now."""
        rows = self.admin.query("SHOW DATABASES")
        return next((f"{row[1]}:{row[2]}" for row in rows if row[0] == self.settings["database"]), None)

    def blockers(self):
        """Clients whose transaction is open, for the message when PAUSE takes too long."""
        rows = self.second.query("SHOW SERVERS")
        return [f"{row[3]} server connection of user {row[1]}, local port {row[7]}" for row in rows if row[3] == "active"]

    def _console(self, seconds):
        path = f"{self.settings['socketDir']}/.s.PGSQL.{self.settings['port']}"
        return Connection(path, "pgbouncer", "pgbouncer", system_user="postgres", seconds=seconds)
