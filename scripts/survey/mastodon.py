"""The Mastodon installation: its folder, user, variables and units, also where an admin gave them other names."""

import glob
import hashlib
import os
import pwd
import re

import checkout
import dotenv
import listening
import machine
import mastodon_env
import nearby
from probe import Unreadable, look, properties, read, run

SAVED = "/var/lib/trunkline/saved/files"
# Variables whose values may be told. Everything else is told by name only, and by hash.
PLAIN = re.compile(
    r"(LOCAL_DOMAIN|WEB_DOMAIN|ALTERNATE_DOMAINS|SINGLE_USER_MODE|LIMITED_FEDERATION_MODE|AUTHORIZED_FETCH|DEFAULT_LOCALE"
    r"|DB_(HOST|PORT|NAME|USER|SSLMODE|POOL)|PREPARED_STATEMENTS|REPLICA_DB_(HOST|PORT|NAME)"
    r"|(CACHE_|SIDEKIQ_)?REDIS_(HOST|PORT|DB|NAMESPACE|DRIVER)|REDIS_SENTINEL_(MASTER|PORT)|REDIS_SENTINELS"
    r"|(S3|SWIFT|AZURE)_ENABLED|S3_(BUCKET|REGION|ENDPOINT|HOSTNAME|PROTOCOL|ALIAS_HOST|CLOUDFRONT_HOST|KEY_PREFIX|PERMISSION|MULTIPART_THRESHOLD|FORCE_SINGLE_REQUEST|OVERRIDE_PATH_STYLE)"
    r"|AWS_(REQUEST_CHECKSUM_CALCULATION|RESPONSE_CHECKSUM_VALIDATION)"
    r"|PAPERCLIP_ROOT_(PATH|URL)|CDN_HOST|EXTRA_MEDIA_HOSTS|TRUSTED_PROXY_IP|ES_(ENABLED|HOST|PORT|PREFIX|PRESET)"
    r"|STREAMING_API_BASE_URL|BIND|PORT|SOCKET|WEB_CONCURRENCY|MAX_THREADS|MIN_THREADS|SIDEKIQ_CONCURRENCY|RAILS_ENV|NODE_ENV"
    r"|SMTP_(SERVER|PORT|FROM_ADDRESS|DELIVERY_METHOD)|MASTODON_USE_LIBVIPS|SKIP_POST_DEPLOYMENT_MIGRATIONS)"
)
SPEAKS = re.compile("mastodon|sidekiq|puma|rails|streaming")
OFFICIAL = re.compile(r"mastodon-(web|sidekiq|streaming|streaming@\d+)\.service")
URLS = ("DATABASE_URL", "REPLICA_DATABASE_URL", "REDIS_URL", "CACHE_REDIS_URL", "SIDEKIQ_REDIS_URL")
ASKED = (
    "ExecStart", "WorkingDirectory", "User", "ActiveState", "UnitFileState", "FragmentPath", "LoadState",
    "Environment", "EnvironmentFiles", "DropInPaths",
)  # fmt: skip


def candidates():
    """All services that could be Mastodon's, with what systemd knows of them."""
    # `list-unit-files` would tell the same names, after it has found out of each whether it is enabled: that takes it half a second.
    folders = run(["systemctl", "show", "--property=UnitPath", "--value"]).split()
    listed = {os.path.basename(path) for folder in folders for path in glob.glob(folder + "/*.service")}
    loaded = run(["systemctl", "list-units", "--type=service", "--all", "--no-legend", "--plain"])
    names = listed | {line.split()[0] for line in loaded.splitlines() if line.split()}
    names = {n for n in names if n.endswith(".service") and not n.endswith("@.service") and not n.startswith("trunkline-")}
    # systemd loads each unit that it is asked about, and a host has hundreds: it is asked about those that may be it.
    files = mentions(folders)
    likely = sorted(n for n in names if n in files or re.sub(r"@.*\.", "@.", n) in files or SPEAKS.search(n))
    units = properties(likely, ASKED)
    return {name: with_saved(unit) for name, unit in units.items() if kind_of(name, with_saved(unit))}


def mentions(folders):
    """Names of the unit files that speak of one of Mastodon's programs, themselves or in a drop-in; of saved ones too."""
    found = set()
    for folder in [*folders, SAVED + "/etc/systemd/system"]:
        for path in glob.glob(folder + "/*.service") + glob.glob(folder + "/*.service.d/*.conf"):
            if os.path.isfile(path) and SPEAKS.search(read(path)):
                found.add(re.search(r"/([^/]+\.service)(\.d/[^/]+)?$", path)[1])
    return found


def with_saved(unit):
    """A unit that Trunkline has masked is still known by the file that was saved."""
    path = "%s/etc/systemd/system/%s" % (SAVED, unit["Id"])
    if unit.get("LoadState") != "masked" or not os.path.isfile(path):
        return unit
    text = read(path)
    found = {key: re.search(r"^%s=(.*)$" % key, text, re.M) for key in ("ExecStart", "WorkingDirectory", "User")}
    return {**unit, **{key: match[1].strip() for key, match in found.items() if match}}


def kind_of(name, unit):
    """web, sidekiq, streaming, or None for everything else."""
    start = unit.get("ExecStart", "")
    if re.search(r"\bsidekiq\b", start):
        return "sidekiq"
    if re.search(r"\bpuma\b|\brails s(erver)?\b", start):
        return "web"
    if re.search(r"[ /]streaming\b", start) and "node" in start:
        return "streaming"
    by_name = re.fullmatch(r"mastodon[-_](web|sidekiq|streaming)[^/]*", name)
    return by_name[1] if by_name else None


def folder(settings, units):
    """The folder of the installation: as told, else the one that the web units work in."""
    asked = (settings.get("mastodonDir") or settings.get("dir") or "").rstrip("/")
    folders = [u.get("WorkingDirectory", "").lstrip("!-").rstrip("/") for n, u in units.items() if kind_of(n, u) == "web"]
    for path in [asked] if asked else folders + ["/home/mastodon/live"]:
        if path and os.path.isfile(os.path.join(path, "lib/mastodon/version.rb")):
            return path
    return None


def version(path):
    text = read(os.path.join(path, "lib/mastodon/version.rb"))
    numbers = [re.search(r"def %s\s+(?:return\s+)?(\d+)" % part, text) for part in ("major", "minor", "patch")]
    if not all(numbers):
        raise Unreadable("no version in %s/lib/mastodon/version.rb" % path)
    number = ".".join(match[1] for match in numbers)
    early = re.search(r"def default_prerelease\s+['\"]([^'\"]+)['\"]", text)
    built = re.search(r"def build_metadata\b.*?['\"]([a-z][a-z0-9.-]*)['\"]", text, re.S)
    return number + ("-" + early[1] if early else "") + ("+" + built[1] if built else "")


def environment(settings, path):
    file = os.path.join(path, ".env.production")
    values = dotenv.read(file)
    told = {name: value for name, value in values.items() if PLAIN.fullmatch(name)}
    told.update({name: without_password(values[name]) for name in URLS if values.get(name)})
    salt = settings.get("salt")
    hashes = {n: dotenv.fingerprint(salt, n, v) for n, v in values.items() if salt and v and not PLAIN.fullmatch(n)}
    own = [address for kind in look("addresses", machine.interface_addresses, default={}).values() for address in kind]
    return {
        "path": file, "keys": sorted(values), "values": told, "hashes": hashes,
        "database": look("the app's database", mastodon_env.database, values),
        "redis": look("the app's Redis", mastodon_env.redis_uses, values, default=[]),
        "nearby": nearby.services(values, own), "shadows": look("files beside .env.production", shadows, path, default=[]),
    }, values  # fmt: skip


def shadows(path):
    """Files that Mastodon reads besides, with the variables in them that differ from host to host: they are carried as they are."""
    found, own = [], dotenv.read(os.path.join(path, ".env.production"))
    for name in (".env.production.local", ".env.local", ".env"):
        file = os.path.join(path, name)
        names = [key for key in dotenv.read(file) if key in mastodon_env.OWN] if os.path.isfile(file) else []
        # The last one only says what .env.production does not; the others win over it.
        names = [key for key in names if name != ".env" or key not in own]
        if names:
            found.append({"file": file, "names": names})
    return found


def without_password(url):
    return re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1:***@", url)


def mastodon(settings, units):
    """The document's part, and the variables themselves for the other looks."""
    path = folder(settings, units)
    if not path:
        return None, {}
    owner = os.stat(path)
    # As the units run it, else the folder's owner.
    user = settings.get("mastodonUser") or settings.get("user") or ""
    user = user or next((u["User"] for n, u in units.items() if kind_of(n, u) == "web" and u.get("User")), "")
    person = pwd.getpwnam(user) if user else pwd.getpwuid(owner.st_uid)
    env, values = look(".env.production", environment, settings, path, default=(None, {}))
    kinds = {"web": [], "sidekiq": [], "streaming": []}
    sockets = look("where the app listens", listening.heard, default={})
    own = [unit for unit in units.values() if belongs(unit, path)]
    for name, unit in sorted(units.items()):
        if belongs(unit, path):
            kind = kind_of(name, unit)
            otherwise = look("where %s listens" % name, listening.otherwise, kind, {**unit, "Id": name}, values, sockets, default=[])
            kinds[kind].append({**unit_of(name, unit), "listening": otherwise})
    return {
        "version": look("Mastodon's version", version, path, default=""),
        "dir": path, "realDir": os.path.realpath(path), "user": person.pw_name, "uid": person.pw_uid, "gid": person.pw_gid, "home": home_of(person, path),
        "appBytes": look("size of the app", app_bytes, home_of(person, path)),
        "env": env or {"path": path + "/.env.production", "keys": [], "values": {}, "hashes": {}, "database": None, "redis": [], "nearby": [], "shadows": []},
        "git": checkout.checkout(path, person.pw_name),
        "stamp": look("when the app was last built", stamp, path, own),
        "units": kinds, "encryptedRows": None,
    }, values  # fmt: skip


def stamp(path, units):
    """Another one after an upgrade or a build: by when what these write was last written. What a running app writes is left out."""
    names = ("*", ".git/HEAD", ".git/logs/HEAD", "lib/mastodon/*.rb", "vendor/bundle/ruby/*/*", "node_modules/.yarn*", "public/*")
    of_app = {found for name in names for found in glob.glob(os.path.join(glob.escape(path), name))}
    of_app -= {os.path.join(path, name) for name in ("log", "tmp", "public", "public/system")}
    of_units = {file for unit in units for file in [unit.get("FragmentPath", ""), *unit.get("DropInPaths", "").split()]}
    of_units = {file for file in of_units if os.path.isfile(file) and not file.startswith("/run/") and "trunkline" not in file}
    told = ["%s %d" % (file, os.lstat(file).st_mtime_ns) for file in sorted(of_app | of_units)]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()


def belongs(unit, path):
    works_in = unit.get("WorkingDirectory", "").lstrip("!-").rstrip("/")
    return not works_in or works_in in ("/", path) or os.path.realpath(works_in) == os.path.realpath(path)


def unit_of(name, unit):
    return {
        "name": name,
        "program": program_of(unit.get("ExecStart", "")),
        "environmentFiles": re.findall(r"(/\S+) \(ignore_errors=", unit.get("EnvironmentFiles", "")),
        "needs": look("what %s needs" % name, needs_of, unit, default=[]),
        "active": unit.get("ActiveState", "unknown"),
        "enabled": "masked" if unit.get("LoadState") == "masked" else unit.get("UnitFileState") or "static",
        "queues": [q.split(",")[0] for q in re.findall(r"(?:\s-q|\s--queue)[\s=]*([A-Za-z0-9_,]+)", unit.get("ExecStart", ""))],
        "custom": not OFFICIAL.fullmatch(name),
    }


def needs_of(unit):
    """Units that its own files name as a must; what systemd adds by itself is everywhere."""
    needs = set()
    for path in [unit.get("FragmentPath", ""), *unit.get("DropInPaths", "").split()]:
        if os.path.isfile(path):
            for line in re.findall(r"^(?:Requires|BindsTo|Requisite)=(.*)$", read(path), re.M):
                needs.update(line.split())
    return sorted(needs)


def program_of(start):
    """The path of what a unit runs, as systemd shows it or as its file has it."""
    shown = re.search(r"path=(\S+)", start)
    return shown[1] if shown else (start.split() or [""])[0].lstrip("-@:+!")


def home_of(person, path):
    """The user's home, unless it is no folder of the app's own: a system user may have / or none."""
    shared = ("/", "/root", "/home", "/nonexistent", "/srv", "/opt", "/var", "/var/lib", "/var/www", "/usr")
    home = os.path.normpath(person.pw_dir)
    return home if home not in shared and os.path.isdir(home) else path


def app_bytes(home):
    command = ["du", "-sxB1", "--exclude=public/system", "--exclude=log", "--exclude=tmp", "--exclude=.cache", home]
    return int(run(command, 3).split()[0])
