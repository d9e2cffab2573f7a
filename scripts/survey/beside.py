"""What the app leans on besides its own parts, and no step carries: an onion service, jobs by the clock, backups."""

import glob
import os
import re

from machine import mount_of
from probe import look, properties, read, run

BACKUP = re.compile(r"(?<![\w-])(pg_dump(?:all)?|pg_basebackup|pg_receivewal|pgbackrest|wal-g|barman|borg(?:matic)?|restic)(?![\w-])")
HIDDEN = ("ALLOW_ACCESS_TO_HIDDEN_SERVICE", "http_hidden_proxy")


def beside(env, nginx, found, saved, heard):
    """env: .env.production's variables; nginx: the document's; found, saved, heard: what `jobs`, `backups` and listening.outward told."""
    return {
        "onion": look("Tor's settings", onion, env, nginx, default=[]),
        "jobs": found or [],
        "backups": saved or [],
        "listening": heard or [],
    }


def onion(env, nginx):
    """Where this server says that the instance is an onion service, or reaches others; none: []."""
    names = [name for name in re.split(r"[\s,]+", env.get("ALTERNATE_DOMAINS", "")) if name.endswith(".onion")]
    names += (nginx or {}).get("onions", [])
    found = ["the name %s" % name for name in dict.fromkeys(names)]
    for path in ["/etc/tor/torrc", *sorted(glob.glob("/etc/tor/torrc.d/*") + glob.glob("/etc/tor/instances/*/torrc"))]:
        if os.path.isfile(path):
            folders = re.findall(r"^\s*HiddenServiceDir\s+(\S+)", read(path), re.M | re.I)
            found += ["HiddenServiceDir %s in %s" % (folder, path) for folder in folders]
    return found + ["%s in .env.production" % name for name in HIDDEN if env.get(name)]


def jobs(app):
    """What cron and timers do as the app's user or with its folder. Of a command only tootctl's own words are told."""
    found = []
    own = "/var/spool/cron/crontabs/" + app["user"]
    by_user = re.compile(r"\s*(?:@\w+\s+|(?:\S+\s+){5})%s\s" % re.escape(app["user"]))
    for path, lines in crons([own, "/var/spool/cron/crontabs/root"]):
        mine = [line for line in lines if path == own or app["dir"] in line or by_user.match(line) or re.search(r"\btootctl\b", line)]
        found += ["%s in %s" % (", ".join(dict.fromkeys(map(said, mine))), path)] if mine else []
    return found + timers(app)


def crons(tables):
    """Each of cron's files that is there, these tables and the system's own, with the lines that say what to run."""
    for path in [*tables, "/etc/crontab", *sorted(glob.glob("/etc/cron.d/*") + glob.glob("/etc/cron.*ly/*"))]:
        if os.path.isfile(path):
            # A table's settings run nothing; in a script the same may stand before a command.
            idle = r"\s*(#|$)" if re.match(r"/etc/cron\.\w+ly/", path) else r"\s*(#|$|\w+\s*=)"
            yield path, [line for line in read(path).splitlines() if not re.match(idle, line)]


def said(line):
    command = re.search(r"\btootctl((?: [a-z][a-z_-]*)+)", line)
    return "tootctl" + command[1] if command else "a command"


def timers(app):
    """Timers whose service is the app's, and services of its user that are none of Mastodon's three kinds."""
    services = timed()
    own = {unit["name"] for units in app["units"].values() for unit in units}
    running = {name: name for name in loaded("service", "--state=active")}
    places = {**running, **services}
    shown = properties(sorted(places), ["User", "WorkingDirectory", "ExecStart"])
    return sorted({places[name] for name, unit in shown.items() if name in places and name not in own and runs_app(unit, app)})


def timed():
    """Timers by the service that each starts."""
    return {unit.get("Unit") or name[: -len("timer")] + "service": name for name, unit in properties(loaded("timer"), ["Unit"]).items()}


def loaded(kind, *options):
    listed = run(["systemctl", "list-units", "--type=" + kind, "--no-legend", "--plain", *(options or ["--all"])])
    return [line.split()[0] for line in listed.splitlines() if line.split() and not line.startswith("trunkline-")]


def runs_app(unit, app):
    return unit.get("User") == app["user"] or app["dir"] in unit.get("WorkingDirectory", "") + unit.get("ExecStart", "")


def backups():
    """Programs that make backups, as anybody's cron or a timer calls them, also in a script of theirs. Nothing else of a command is told."""
    found = []
    for path, lines in crons(sorted(glob.glob("/var/spool/cron/crontabs/*"))):
        named = [name for line in lines for name in saving(line)]
        found += ["%s in %s" % (", ".join(dict.fromkeys(named)), path)] if named else []
    services = timed()
    shown = properties(sorted(services), ["ExecStart"])
    return found + sorted({services[name] for name, unit in shown.items() if name in services and saving(unit.get("ExecStart", ""))})


def saving(command):
    """Names of such programs in a command, and in the scripts that it names."""
    texts = [command] + [script(path) for path in re.findall(r"(?<![\w./-])/[\w./-]+", command)]
    return [name for text in texts for name in BACKUP.findall(text)]


def script(path):
    """The text of a script without its remarks; "" of anything else, and of what lies where it may not answer: backups go there."""
    if re.match(r"nfs|cifs|smb|fuse|autofs|ceph|gluster|afs|9p", mount_of(path)["fsType"]):
        return ""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > 100_000:
            return ""
        text = read(path)
    except OSError:
        return ""
    return re.sub(r"^\s*#.*", "", text, flags=re.M) if text.startswith("#!") else ""
