"""Where web and streaming listen, and who else answers others. The units' own `Environment=` says it, and is carried; whatever else says so is told here.

Steps, the target's nginx and the second web process of a switch go by PORT and SOCKET of `Environment=`, drop-ins included. An option
of the command wins over them, and so does a file of variables: the second process would want the first one's port.
"""

import glob
import ipaddress
import os
import re

import dotenv
from probe import run, unit_of

USUAL = {"web": "3000", "streaming": "4000"}
PROGRAM = {"web": r"\bpuma\b|\brails s(?:erver)?\b", "streaming": r"\bnode\b"}
EASY = ("", "127.0.0.1", "0.0.0.0", "localhost", "::", "[::]")  # a process that binds to one of these answers on 127.0.0.1
OPTION = re.compile(r"""\s(-p|--port|-b|--bind|--binding)[\s=]*['"]?([^\s'";]+)""")
# What the move knows of already, or what asks nobody to know a name: by process.
KNOWN = re.compile(r"sshd|postgres|pgbouncer|(redis|valkey)-server|systemd-resolve|rpcbind|trunkline.*")
VARIABLE = re.compile(r"""(?:^|[\s'"])(PORT|SOCKET|BIND)=['"]?([^\s'";]+)""")


def heard():
    """Where the services of this host listen: name → addresses like 127.0.0.1:3000 and unix:/run/web.sock."""
    found = {}
    for line in run(["ss", "-Hltnp"]).splitlines() + run(["ss", "-Hlxp"]).splitlines():
        path = re.search(r"\s(/\S+)\s", line)
        place = "unix:" + path[1] if path else line.split()[3]
        # systemd and the service hold a socket of a unit .socket both.
        for name in {service(int(pid)) for pid in re.findall(r"pid=(\d+)", line)}:
            found.setdefault(name, []).append(place)
    return found


def outward(app):
    """What else listens where others reach it: a {port, by} each."""
    own = [unit["name"] for units in app["units"].values() for unit in units]
    return strangers(run(["ss", "-Hltnp"]), own, service)


def strangers(shown, own, service_of):
    """The same, from what ss shows, the names of the app's units, and who tells a process' service. nginx' 80 and 443 are the move's."""
    found = {}
    for line in shown.splitlines():
        host, _, port = line.split()[3].rpartition(":")
        processes = re.findall(r'"([^"]+)",pid=(\d+)', line)
        if not processes or port in ("80", "443") or not reached_by_others(host) or any(KNOWN.fullmatch(name) for name, _ in processes):
            continue
        by = [service_of(int(pid)) or name for name, pid in processes]
        if not any(name in own or name.startswith("trunkline") for name in by):
            found.setdefault(int(port), by[0])
    return [{"port": port, "by": by} for port, by in sorted(found.items())]


def reached_by_others(host):
    bare = host.split("%")[0].strip("[]")
    if bare in ("*", ""):
        return True
    address = ipaddress.ip_address(bare)
    address = getattr(address, "ipv4_mapped", None) or address
    return not (address.is_loopback or address.is_link_local)


def service(pid):
    try:
        return unit_of(pid)
    except OSError:  # gone meanwhile, or in another namespace
        return None


def otherwise(kind, unit, env, sockets):
    """What says where a process listens besides PORT and SOCKET of its unit, a {line, instead} each; else that it is heard elsewhere.

    kind: web, streaming or sidekiq; env: .env.production's variables, which streaming reads before it listens, and puma after.
    """
    start = unit.get("ExecStart", "")
    if kind == "sidekiq" or (kind == "streaming" and "node" not in start):
        return []
    own = variables(unit)
    said = list(by_command(kind, start))
    said += [line for path in files(unit) for line in by_variables(kind, dotenv.read(path), {}, "%s (EnvironmentFile=)" % path)]
    said += by_variables(kind, {name: own[name] for name in ("BIND", "SOCKET") if name in own and (name, kind) != ("SOCKET", "web")}, {}, "Environment=")
    if kind == "streaming" and not said:
        said += by_variables(kind, env, own, ".env.production")
    return said or by_ear(kind, unit, own, sockets)


def variables(unit):
    return dict(word.strip('"').split("=", 1) for word in unit.get("Environment", "").split() if "=" in word)


def files(unit):
    patterns = re.findall(r"(/\S+) \(ignore_errors=", unit.get("EnvironmentFiles", ""))
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]


def by_command(kind, start):
    """Options of puma or `rails server`, and variables that the command itself sets."""
    shown = re.search(r"argv\[\]=(.*?) ;", start)
    words = re.split(PROGRAM[kind], shown[1] if shown else start, maxsplit=1)
    for name, value in VARIABLE.findall(words[0]):
        yield from by_variables(kind, {name: value}, {}, "ExecStart=")
    for option, value in OPTION.findall(words[-1]) if kind == "web" and len(words) > 1 else ():
        wanted = meant(value)
        if wanted:
            yield {"line": "%s %s in ExecStart=" % (option, value), "instead": wanted}


def meant(value):
    """A port or an address of an option as the variable that says the same; None: it says nothing that matters, or names the variable."""
    if re.fullmatch(r"(tcp://(127\.0\.0\.1|0\.0\.0\.0|localhost|\[::\]):)?\$(PORT|\{PORT\})", value):
        return None
    path = re.match(r"unix://(/[^?]+)", value)
    port = re.search(r"(?:^|:)(\d+)(?:\?.*)?$", value)
    if path:
        return "Environment=SOCKET=" + path[1]
    if port:
        return "Environment=PORT=" + port[1]
    return None if value in EASY else "Environment=PORT=" + USUAL["web"]


def by_variables(kind, values, own, where):
    """PORT, SOCKET and BIND among the values, as far as the unit's own do not win over them."""
    usual = "Environment=PORT=" + USUAL[kind]
    for name, instead in (("PORT", "Environment=PORT="), ("SOCKET", "Environment=SOCKET=" if kind == "web" else usual), ("BIND", "Environment=BIND=127.0.0.1")):
        value = values.get(name, "")
        if value and name not in own and not (name == "BIND" and value in EASY):
            yield {"line": "%s=%s in %s" % (name, value, where), "instead": instead + value if instead.endswith("=") else instead}


def by_ear(kind, unit, own, sockets):
    """Nobody says so where it was looked for, and yet it listens elsewhere: its program's own file, or a unit .socket."""
    found = sockets.get(unit["Id"], []) if unit.get("ActiveState") == "active" else []
    instance = re.search(r"@(\d+)\.", unit["Id"])
    port = own.get("PORT") or (instance and instance[1]) or USUAL[kind]
    wanted = "unix:" + own["SOCKET"] if own.get("SOCKET") else port
    if not found or any(place == wanted or easy(place) == wanted for place in found):
        return []
    # The second process of a switch is told its port by this variable: nothing else may say one.
    heard_port = next((place.rpartition(":")[2] for place in found if not place.startswith("unix:")), port)
    return [{"line": "listens on %s, which its Environment= does not say" % ", ".join(found), "instead": "Environment=PORT=" + heard_port}]


def easy(place):
    """The port, where 127.0.0.1 leads to it."""
    host, _, port = place.rpartition(":")
    return port if host in (*EASY, "*", "[::ffff:127.0.0.1]") and host else None
