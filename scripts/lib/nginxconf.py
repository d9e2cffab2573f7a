"""Reads nginx's configuration as blocks of directives, and writes it again with some of them exchanged."""

import re

TOKEN = re.compile(r"""\s+|\#[^\n]*|[{};]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|\$\{[^}]*\}|[^\s{};"'\\]|(?<=[^\s{};])["'])+""", re.S)


class Directive:
    """One directive: its words, its place in the text, and what is in its braces (None without braces)."""

    def __init__(self, words, start):
        self.words, self.start, self.end, self.block = words, start, start, None
        self.inner = None  # place of what is between the braces

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


def serves(server, domain):
    """Whether the server block names the domain."""
    return any(domain == name.lstrip(".").lower() for d in server.all("server_name") for name in d.values)


def is_tls(server):
    return any("ssl" in d.values for d in server.all("listen")) or server.first("ssl") == "on"


def bytes_of(size):
    """nginx's 99m as bytes."""
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", size or "")
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()] if match else None
