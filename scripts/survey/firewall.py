"""Rules of this host's firewall that let in only so many new connections to sshd in a while (`ufw limit ssh`): the move opens many."""

import re

from probe import Unreadable, run

# iptables' matches recent, hashlimit and connlimit turn away whom they count; limit does so by letting in no more.
COUNTED = re.compile(r"--hitcount\b|-m (hashlimit|connlimit)\b|-m limit\b.*-j ACCEPT\b")
ENOUGH = 160  # characters of a rule that are shown


def limits(port):
    """The rules as iptables or nft write them; none where no firewall can be asked."""
    found = [rule for rule in shown("iptables-save", "-t", "filter") if to_port(r"--dports? (\S+)", rule, port) and COUNTED.search(rule)]
    if not found:
        nft = [rule for rule in shown("nft", "-t", "list", "ruleset") if to_port(r"\btcp dport (\{[^}]*\}|\S+)", rule, port)]
        found = [rule for rule in nft if re.search(r"\b(limit rate|ct count|meter)\b", rule)]
    return [rule.strip()[:ENOUGH] for rule in found]


def shown(*command):
    try:
        return run(command, 3).splitlines()
    except Unreadable:
        return []


def to_port(pattern, rule, port):
    """Whether the rule is about the port, by its number, its name, in a list or in a range."""
    match = re.search(pattern, rule)
    for part in re.findall(r"[\w:-]+", match[1]) if match else []:
        low, _, high = part.replace("ssh", "22").replace(":", "-").partition("-")
        if low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low):
            return True
    return False
