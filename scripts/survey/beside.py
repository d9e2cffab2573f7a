"""What the app leans on besides its own parts, and no step carries: an onion service, jobs by the clock."""

import glob
import os
import re

from probe import look, properties, read, run

HIDDEN = ("ALLOW_ACCESS_TO_HIDDEN_SERVICE", "http_hidden_proxy")


def beside(env, nginx, found):
    """env: .env.production's variables; nginx: the document's; found: what `jobs` told."""
    return {
        "onion": look("Tor's settings", onion, env, nginx, default=[]),
        "jobs": found or [],
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
    for path in [own, "/var/spool/cron/crontabs/root", "/etc/crontab", *sorted(glob.glob("/etc/cron.d/*") + glob.glob("/etc/cron.*ly/*"))]:
        if os.path.isfile(path):
            lines = [line for line in read(path).splitlines() if re.match(r"\s*[^#\s]", line) and not re.match(r"\s*\w+\s*=", line)]
            mine = [line for line in lines if path == own or app["dir"] in line or by_user.match(line) or re.search(r"\btootctl\b", line)]
            found += ["%s in %s" % (", ".join(dict.fromkeys(map(said, mine))), path)] if mine else []
    return found + timers(app)


def said(line):
    command = re.search(r"\btootctl((?: [a-z][a-z_-]*)+)", line)
    return "tootctl" + command[1] if command else "a command"


def timers(app):
    """Timers whose service is the app's, and services of its user that are none of Mastodon's three kinds."""
    services = {unit.get("Unit") or name[: -len("timer")] + "service": name for name, unit in properties(loaded("timer"), ["Unit"]).items()}
    own = {unit["name"] for units in app["units"].values() for unit in units}
    running = {name: name for name in loaded("service", "--state=active")}
    places = {**running, **services}
    shown = properties(sorted(places), ["User", "WorkingDirectory", "ExecStart"])
    return sorted({places[name] for name, unit in shown.items() if name in places and name not in own and runs_app(unit, app)})


def loaded(kind, *options):
    listed = run(["systemctl", "list-units", "--type=" + kind, "--no-legend", "--plain", *(options or ["--all"])])
    return [line.split()[0] for line in listed.splitlines() if line.split() and not line.startswith("trunkline-")]


def runs_app(unit, app):
    return unit.get("User") == app["user"] or app["dir"] in unit.get("WorkingDirectory", "") + unit.get("ExecStart", "")
