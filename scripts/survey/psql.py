"""psql on the server that holds Mastodon's database, as its superuser: on this host, or inside a container."""

import os


def here(port):
    """The command for this host's own Postgres, without the database's name."""
    command = ["psql", "-XAtq", "-p", str(port)]
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command
