"""Whether a server of nginx does nothing but send people on to one host, as one for www. does."""

import re

CHALLENGES = re.compile(r"\^?/\.well-known/acme-challenge(/[^|]*)?\$?")
# Patterns of a rewrite that takes every path, without their brackets.
EVERY_PATH = re.compile(r"\^?(/?\??(\.\*\??\$?)?|\.\+\$?)")
# What may answer by itself, or end the rules before a redirect is reached.
OTHERWISE = re.compile(r"\w+_pass|\w+_by_lua\w*|try_files|alias|autoindex|break")


def leads_to(server, host):
    """Whether it redirects everything to the host over https, and serves nothing of its own but challenges for certificates."""
    places = [server, *(d for d in server.all("location") if d.values == ["/"])]
    return any(takes_all(d) and is_at(goal(d), re.escape(host)) for place in places for d in place.block) and all(
        adds_nothing(d, host) for d in server.block
    )


def adds_nothing(d, host):
    """Whether a directive and all in it lead to the host or refuse, at most."""
    inner = d.block or []
    if d.name == "location":
        return is_for_challenges(d) or all(adds_nothing(i, host) for i in inner) and is_closed(d)
    if d.name == "if":
        return all(adds_nothing(i, host) for i in inner)
    if d.name in ("return", "rewrite"):
        # To the same name over TLS, as certbot has it.
        return refuses(d) or is_at(goal(d), re.escape(host) + r"|\$(http_)?host|\$server_name")
    return (d.block is None or d.name == "types") and not OTHERWISE.fullmatch(d.name)


def is_for_challenges(location):
    return bool(location.values and CHALLENGES.fullmatch(location.values[-1].replace("\\", "")))


def is_closed(location):
    """Whether no request gets as far as to files or to an app."""
    denied = any(d.values == ["all"] for d in location.all("deny")) and not location.all("allow")
    return denied or any(takes_all(d) for d in location.block)


def takes_all(d):
    if d.name == "rewrite":
        return bool(d.values and EVERY_PATH.fullmatch(re.sub("[()]", "", d.values[0])))
    return d.name == "return"


def goal(d):
    """The address that a return or a rewrite redirects to, "" without one."""
    is_text = d.name == "return" and len(d.values) > 1 and d.values[0] not in ("301", "302", "303", "307", "308")
    place = 0 if d.name == "return" and len(d.values) == 1 else 1
    return "" if is_text or len(d.values) <= place else d.values[place]


def is_at(address, hosts):
    """Whether an address is of one of the hosts (a pattern), not of a name that begins like it."""
    return bool(re.match(r"https://(%s)(:443)?([/?$]|\Z)" % hosts, address, re.I))


def refuses(d):
    return d.name == "return" and bool(d.values and re.fullmatch(r"4\d\d", d.values[0]))
