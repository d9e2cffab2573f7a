"""Reads nginx's configuration as blocks of directives, and writes it again with some of them exchanged."""

import glob
import os
import re

ROOT = "/etc/nginx/nginx.conf"
# What a server listens on when it names no address of its own, and where it is then reached.
ANYWHERE = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "[::]": "[::1]"}
TOKEN = re.compile(r"""\s+|\#[^\n]*|[{};]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|\$\{[^}]*\}|[^\s{};"'\\]|(?<=[^\s{};])["'])+""", re.S)


class Directive:
    """One directive: its words, its place in the text, and what is in its braces (None without braces)."""

    def __init__(self, words, start):
        self.words, self.start, self.end, self.block = words, start, start, None
        self.inner = None  # place of what is between the braces
        self.file = None  # where it stands, if it was loaded

    @property
    def name(self):
        return self.words[0] if self.words else ""

    @property
    def values(self):
        return [bare(word) for word in self.words[1:]]

    def all(self, name):
        return [d for d in self.block or [] if d.name == name]

    def first(self, name):
        """Values of the first directive of that name, as one text."""
        found = self.all(name)
        return " ".join(found[0].values) if found else None


def bare(word):
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


def parse(text):
    """The directives of a file, nested. Raises ValueError where braces do not fit."""
    top = Directive([], 0)
    top.block, stack, words, start = [], [top], [], None
    for match in TOKEN.finditer(text):
        token = match[0]
        if token.isspace() or token.startswith("#"):
            continue
        if token in (";", "{"):
            directive = Directive(words, match.start() if start is None else start)
            stack[-1].block.append(directive)
            directive.end = match.end()
            if token == "{":
                directive.block, directive.inner = [], [match.end(), match.end()]
                stack.append(directive)
            words, start = [], None
        elif token == "}":
            if len(stack) == 1:
                raise ValueError("a } too many at byte %d" % match.start())
            stack[-1].end, stack[-1].inner[1] = match.end(), match.start()
            stack.pop()
        else:
            start = match.start() if start is None else start
            words.append(token)
    if len(stack) > 1:
        raise ValueError("a } is missing for %s" % " ".join(stack[-1].words))
    return top.block


def servers(directives):
    """All server blocks, however deep."""
    found = []
    for directive in directives:
        if directive.name == "server" and directive.block is not None:
            found.append(directive)
        else:
            found += servers(directive.block or [])
    return found


def walk(directives):
    """All of them and what is within them, however deep."""
    for directive in directives:
        yield directive
        yield from walk(directive.block or [])


def serves(server, domain):
    """Whether the server block names the domain."""
    return any(domain == name.lstrip(".").lower() for d in server.all("server_name") for name in d.values)


def is_tls(server):
    return any("ssl" in d.values for d in server.all("listen")) or server.first("ssl") == "on"


def hosts_on(port, found):
    """Where these servers listen on that port over TCP, as it is written there; "" where no address is. nginx's own default is 80."""
    listens = [s.all("listen") for s in found]
    said = [d.values[0] for all in listens for d in all if d.values and "quic" not in d.values] + ["80" for all in listens if not all]
    places = [re.fullmatch(r"(?:(.*):)?(\d+)", place if re.search(r"(^|:)\d+$", place) else place + ":80") for place in said if not place.startswith("unix:")]
    return [match[1] or "" for match in places if match and match[2] == port]


def hosts_beside(directives, domain, own, port):
    """Where a server of the name `own` has to listen on that port to be had wherever the domain is: nginx knows it nowhere else."""
    others = [s for s in servers(directives) if not serves(s, own)]
    theirs = [s for s in others if serves(s, domain)]
    # What is for this host alone (a page of figures, say) is no place for others.
    public = [host for host in hosts_on(port, others) if not re.match(r"127\.|\[::1\]|localhost$", host)]
    return list(dict.fromkeys(hosts_on(port, theirs) or public or hosts_on("443", theirs)))


def address_of(directives, domain):
    """Where this host itself reaches its TLS server of the domain: on loopback, else at an address that it listens on alone."""
    hosts = hosts_on("443", [s for s in servers(directives) if is_tls(s) and serves(s, domain)])
    hosts = [ANYWHERE.get(host, host) for host in hosts]
    hosts = sorted(filter(re.compile(r"[\d.]+|\[[\da-fA-F:.]+\]").fullmatch, hosts), key=lambda host: (host != "[::1]" and not host.startswith("127."), host[0] == "["))
    return hosts[0] if hosts else "127.0.0.1"


def bytes_of(size):
    """nginx's 99m as bytes."""
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", size or "")
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()] if match else None


def on_disk(saved=""):
    """How to read the files of this host: (content of a path, paths of a pattern). What lies below `saved` counts before the path itself."""

    def read(path):
        kept = saved + os.path.realpath(path)
        with open(kept if saved and os.path.isfile(kept) else path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    return read, lambda pattern: sorted(glob.glob(pattern))


def load(read, listed, path=ROOT):
    """The directives of a file with those of its includes in their place, wherever they stand."""
    directives = parse(read(path))
    return _expanded(directives, path, read, listed, 0)


def _expanded(directives, path, read, listed, depth):
    found = []
    for directive in directives:
        directive.file = path
        if directive.name == "include" and directive.block is None and directive.values and depth < 8:
            pattern = os.path.join(os.path.dirname(ROOT), directive.values[0])
            for included in listed(pattern):
                found += _expanded(parse(read(included)), included, read, listed, depth + 1)
            continue
        if directive.block is not None:
            directive.block = _expanded(directive.block, path, read, listed, depth)
        found.append(directive)
    return found


def within_http(directives):
    """What stands in the http block, which all sites share."""
    return [inner for d in directives if d.name == "http" for inner in d.block or []]


def write(directive, indent="  "):
    """The directive as text again."""
    words = " ".join(directive.words)
    if directive.block is None:
        return indent + words + ";"
    inner = "\n".join(write(d, indent + "  ") for d in directive.block)
    return "%s%s {\n%s\n%s}" % (indent, words, inner, indent)
