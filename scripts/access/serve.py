"""Forced command of the read key, run as root on the source: answers the few questions of the move, and refuses all others.

The places it may read are named in /etc/trunkline/serve.roots (made by access/grant); a request names a place, never
a path outside of one. Every request is told to the journal.
"""

import glob
import io
import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import syslog
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import nginxconf  # noqa: E402
import site_parts  # noqa: E402

ROOTS = "/etc/trunkline/serve.roots"
CERTBOT = "/etc/letsencrypt"
PUSHED = "/run/trunkline/media.pushed"
TREES = ("home", "app", "media", "node")
# What rsync's client of any release since 3.1 asks of a sender; nothing that follows links or runs or writes anything.
RSYNC_SHORT = re.compile(r"-[vlHogDtpAXrzRIWndu]*(?:e[0-9.]*[A-Za-z]*)?")
RSYNC_LONG = re.compile(
    r"--(?:numeric-ids|from0|files-from=-|ignore-missing-args|partial|inplace|delete[a-z-]*|no-[a-z-]+"
    r"|bwlimit=[0-9.]+[kKmM]?|timeout=\d+|log-format=[%A-Za-z ]*|out-format=[%a-z]*|stats|compress-choice=[a-z0-9]+)"
)
RSYNC_TAKES = re.compile(r"--(?:numeric-ids|partial|timeout=\d+|bwlimit=[0-9.]+|log-format=[%A-Za-z ]*)")
PACKAGE = re.compile(r"[A-Za-z0-9.+_-]+")


class Refused(Exception):
    """The request is none that is served."""


def roots():
    with open(ROOTS, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("\t", 1) for line in file if "\t" in line)


def place(known, asked):
    """The real path of NAME/REST below the root NAME; refuses to leave it, also through links."""
    name, _, rest = asked.partition("/")
    if name not in TREES or not known.get(name):
        raise Refused("no place %r is served" % name)
    if ".." in rest.split("/"):
        raise Refused("a path may not go up")
    root = os.path.realpath(known[name])
    path = os.path.realpath(os.path.join(root, rest)) if rest else root
    if path != root and not path.startswith(root.rstrip("/") + "/"):
        raise Refused("the path leaves %s" % name)
    return path + "/" if asked.endswith("/") else path


def rsync(known, words):
    """Sends from any place; takes files for the media alone, with the rights of their owner (the way back)."""
    sends = words[:2] == ["--server", "--sender"]
    if not words or words[0] != "--server" or "." not in words:
        raise Refused("rsync may only serve")
    dot = words.index(".")
    options, paths = words[2 if sends else 1 : dot], words[dot + 1 :]
    for option in options:
        long = RSYNC_LONG if sends else RSYNC_TAKES
        if not (long if option.startswith("--") else RSYNC_SHORT).fullmatch(option):
            raise Refused("rsync option %r is not served" % option)
    if not paths or not sends and paths != ["media/"]:
        raise Refused("rsync may not use these paths")
    paths = [place(known, path) for path in paths]
    if sends:
        os.execv("/usr/bin/rsync", ["rsync", "--server", "--sender", *options, ".", *paths])
    owner = pwd.getpwuid(os.stat(paths[0]).st_uid).pw_name
    os.execvp("runuser", ["runuser", "-u", owner, "--", "rsync", "--server", *options, ".", *paths])


def fingerprint(known, words):
    """Salted hash of every variable; the salt comes in on stdin."""
    salt = sys.stdin.readline().strip()
    if words or len(salt) < 16:
        raise Refused("a fingerprint needs a salt of 16 characters on stdin")
    values = dotenv.read(known["env"])
    print(json.dumps({name: dotenv.fingerprint(salt, name, value) for name, value in values.items()}))


def tell(known, words):
    """The content of a file: env."""
    if words != ["env"]:
        raise Refused("only env can be told")
    with open(known["env"], "rb") as file:
        sys.stdout.buffer.write(file.read())


def sites(known):
    """nginx's sites of the instance as they were before Trunkline."""
    tree = nginxconf.load(*nginxconf.on_disk(known["saved"]))
    units = [(kind, name, environment(name)) for kind in ("web", "streaming") for name in known.get(kind, "").split()]
    return site_parts.Site(tree, known["names"].split(), known["app"], site_parts.app_addresses(units))


def environment(unit):
    command = ["systemctl", "show", "--property=Environment", "--value", "--", unit]
    return subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()


def site(known, words):
    """What the target's site is made with, as JSON (site_parts.py)."""
    print(json.dumps(sites(known).carried()))


def archive(members):
    """A tar of (name, path), links followed; bytes in place of a path are the content."""
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, path in members:
            content = path
            if not isinstance(path, bytes):
                with open(path, "rb") as file:
                    content = file.read()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            tar.addfile(info, io.BytesIO(content))


def pairs(known):
    """Paths of certificate and key, by what their names on the target begin with: the web domain's, the other names' sites' by number."""
    found = sites(known)
    numbered = [("%d." % number, found.certificate(server)) for number, server in enumerate(found.companions(), 1)]
    members = [("", (known["cert"], known["key"])), *numbered]
    return [(prefix, [os.path.join("/etc/nginx", path) for path in pair]) for prefix, pair in members if pair]


def certificates(known, words):
    archive((prefix + name, path) for prefix, pair in pairs(known) for name, path in zip(("fullchain.pem", "privkey.pem"), pair))


def renewals(known, words):
    """What certbot needs to go on with it elsewhere: settings and account; and which pair on the target is which certificate."""
    members, used = [], ["%sfullchain.pem %sprivkey.pem %s\n" % (prefix, prefix, lineage(pair[0])) for prefix, pair in pairs(known)]
    accounts = set()
    for name in known.get("renewals", "").split():
        conf = os.path.join(CERTBOT, "renewal", name + ".conf")
        members.append(("renewal/%s.conf" % name, conf))
        with open(conf, encoding="utf-8") as file:
            accounts.update(re.findall(r"^account\s*=\s*([0-9a-f]+)\s*$", file.read(), re.M))
    for account in sorted(accounts):
        files = glob.glob(os.path.join(CERTBOT, "accounts/**", account, "*.json"), recursive=True)
        members += [(os.path.relpath(path, CERTBOT), path) for path in sorted(files)]
    archive([("pairs", "".join(used).encode()), *members])


def lineage(cert):
    """certbot's name of a certificate by its path; "-" if it is not certbot's."""
    found = re.fullmatch(CERTBOT + r"/live/([^/\s]+)/fullchain\.pem", cert)
    return found[1] if found else "-"


def units(known, words):
    """Unit files and drop-ins of the app as they were before Trunkline touched them."""
    found = {}
    for unit in known["units"].split():
        names = [unit]
        if "@" in unit:
            names.append(re.sub(r"@[^.]*", "@", unit))
        for name in names:
            add_unit(found, known, name if name.endswith(".service") else name + ".service")
    archive(sorted(found.items()))


def add_unit(found, known, name):
    fields = {}
    if "@." not in name:
        command = ["systemctl", "show", "--property=FragmentPath", "--property=DropInPaths", "--", name]
        shown = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True).stdout
        fields = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    own = os.path.join("/etc/systemd/system", name)
    fragment = fields.get("FragmentPath", "")
    for path in (known["saved"] + own, own, fragment):
        if os.path.isfile(path) and os.path.realpath(path) != "/dev/null":
            found.setdefault(os.path.basename(path) if path == fragment else name, path)
            break
    for path in fields.get("DropInPaths", "").split() + glob.glob(own + ".d/*.conf"):
        if os.path.isfile(path) and not path.startswith("/run/") and "trunkline" not in os.path.basename(path):
            found["/".join(path.rsplit("/", 2)[1:])] = path


def packages(known, words):
    """Installed packages that hold the named libraries or programs, one a line."""
    if not words or not all(PACKAGE.fullmatch(w) for w in words):
        raise Refused("packages are asked for by file names")
    names = set()
    for word in words:
        shown = subprocess.run(
            ["dpkg-query", "-S", "*/" + word], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True
        ).stdout
        names.update(line.split(":")[0] for line in shown.splitlines() if not line.startswith("diversion"))
    print("\n".join(sorted(names)))


def programs(known, words):
    """Those of the named programs that this host has, one a line."""
    if not words or not all(PACKAGE.fullmatch(w) for w in words):
        raise Refused("programs are asked for by name")
    print("\n".join(w for w in words if shutil.which(w, path="/usr/local/bin:/usr/bin:/bin")))


def locales(known, words):
    shown = subprocess.run(["locale", "-a"], stdout=subprocess.PIPE, universal_newlines=True).stdout
    print(shown, end="")


def clock(known, words):
    """The source's clock: epoch seconds."""
    print("%.3f" % time.time())


def stopped(known, words):
    """yes when no unit of the app runs here any more."""
    names = [u if u.endswith(".service") else u + ".service" for u in known["units"].split()]
    shown = subprocess.run(["systemctl", "is-active", "--", *names], stdout=subprocess.PIPE, universal_newlines=True).stdout
    print("no" if {"active", "activating", "deactivating", "reloading"} & set(shown.split()) else "yes")


def pushed(known, words):
    """The target tells how many files its last pass has brought here; web/proxy waits for one that brought none."""
    if len(words) != 1 or not words[0].isdigit():
        raise Refused("a pass is told of by a number of files")
    with open(PUSHED + ".part", "w", encoding="utf-8") as file:
        file.write("%d %s\n" % (time.time() * 1000, words[0]))
    os.replace(PUSHED + ".part", PUSHED)


VERBS = {
    "rsync": rsync, "fingerprint": fingerprint, "read": tell, "site": site, "certificates": certificates, "renewals": renewals,
    "units": units, "packages": packages, "programs": programs, "locales": locales, "clock": clock, "stopped": stopped, "pushed": pushed,
}  # fmt: skip


def main(asked):
    syslog.openlog("trunkline-access", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    client = os.environ.get("SSH_CONNECTION", "").split(" ")[0] or "unknown"
    try:
        words = shlex.split(asked)
        if not words or words[0] not in VERBS:
            raise Refused("no such request")
        syslog.syslog(syslog.LOG_INFO, "%s: %s" % (client, asked[:400]))
        VERBS[words[0]](roots(), words[1:])
        sys.stdout.flush()
    except (Refused, ValueError) as why:
        syslog.syslog(syslog.LOG_WARNING, "refused %s: %s (%s)" % (client, asked[:400], why))
        sys.exit("trunkline: refused: %s" % why)
    except (OSError, KeyError) as why:
        sys.exit("trunkline: %s could not be served on %s: %s" % (words[0], os.uname().nodename, why))


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
