"""A PgBouncer that stands before the source's Postgres: where its entry for the app's database leads."""

import os
import re

from probe import read

INI = "/etc/pgbouncer/pgbouncer.ini"
PAIR = re.compile(r"(\w+)\s*=\s*(?:'((?:[^']|'')*)'|(\S+))")


def behind(where):
    """The same as `where` (host, port, name, user), for the server behind; None if no PgBouncer listens on that port."""
    if not os.path.isfile(INI):
        return None
    sections = parse(read_all(INI))
    if str(where["port"]) != sections.get("pgbouncer", {}).get("listen_port", "6432"):
        return None
    databases = sections.get("databases", {})
    entry = databases.get(where["name"], databases.get("*"))
    if entry is None:
        return None
    fields = {m[1]: m[3] if m[2] is None else m[2].replace("''", "'") for m in PAIR.finditer(entry)}
    return {
        "host": fields.get("host", ""), "port": int(fields.get("port", 5432)),
        "name": fields.get("dbname", where["name"]), "user": fields.get("user", where["user"]),
    }  # fmt: skip


def read_all(path):
    """The file with what it includes."""
    text = read(path)
    return re.sub(r"^%include\s+(\S+)\s*$", lambda m: read(m[1]) if os.path.isfile(m[1]) else "", text, flags=re.M)


def parse(text):
    sections, current = {}, {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in ";#":
            continue
        header = re.fullmatch(r"\[(\w+)\]", line)
        if header:
            current = sections.setdefault(header[1], {})
        elif "=" in line:
            name, value = line.split("=", 1)
            current[name.strip().strip('"')] = value.strip()
    return sections
