"""Reads and rewrites dotenv files as the Ruby `dotenv` gem and Node's do: quotes, `export`, comments, multi-line values."""

import hashlib
import hmac
import json
import re
import sys

import composeenv

# One assignment: export, name, and a value that is single-quoted, double-quoted (both may span lines) or bare.
LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)
    (?:[ \t]*=[ \t]*|:[ \t]+)
    (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^\#\r\n]*)?
    [ \t]*(?:\#[^\r\n]*)?(?P<end>\r?\n|$)""",
    re.M | re.X,
)
VARIABLE = re.compile(r"(\\)?\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def decode(raw, known):
    """The value that Mastodon sees for the text after the equals sign."""
    raw = (raw or "").strip()
    if len(raw) > 1 and raw[0] == raw[-1] == "'":
        return raw[1:-1]
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        raw = raw[1:-1].replace("\\n", "\n").replace("\\r", "\r")
    raw = re.sub(r"\\([^$])", r"\1", raw)
    return VARIABLE.sub(lambda m: m[0][1:] if m[1] else known.get(m[2] or m[3], ""), raw)


def parse(text):
    """All variables of a file; a later line wins over an earlier one."""
    values = {}
    for match in LINE.finditer(text):
        values[match["name"]] = decode(match["value"], values)
    return values


def encode(value):
    """The value as text that Ruby's reader and Node's take alike; they differ in what they make of a backslash or a dollar sign."""
    if re.fullmatch(r"[A-Za-z0-9_./:,@%+=-]*", value):
        return value
    if "'" not in value:
        return "'" + value + "'"
    if not re.search(r'["\\$\r\n]', value):
        return '"' + value + '"'
    raise ValueError("no way to write a value with these characters so that Ruby and Node read the same")


def rewrite(text, changes):
    """The text with the named variables set (None removes); every other byte stays as it is."""
    left = dict(changes)
    out, at = [], 0
    for match in LINE.finditer(text):
        name = match["name"]
        if name not in changes:
            continue
        out.append(text[at : match.start()])
        at = match.end()
        # Of a variable that is set twice only the first line stays: the last one would win.
        value = left.pop(name, None)
        if value is not None:
            out.append("%s=%s%s" % (name, encode(value), match["end"] or "\n"))
    out.append(text[at:])
    text = "".join(out)
    added = ["%s=%s\n" % (k, encode(v)) for k, v in left.items() if v is not None]
    if added and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(added)


def rewrite_verbatim(text, changes):
    """The same for a file that podman-compose hands on as it stands: quotes would become part of the value."""
    left, out = dict(changes), []
    for line in text.splitlines(keepends=True):
        name = re.match(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=", line)
        if not name or name[1] not in changes:
            out.append(line)
            continue
        value = left.pop(name[1], None)
        if value is not None:
            out.append("%s=%s\n" % (name[1], value))
    if out and not out[-1].endswith("\n"):
        out.append("\n")
    for name, value in left.items():
        if value is not None:
            if re.search(r"[\r\n]", value):
                raise ValueError("no way to write a value of several lines for Compose")
            out.append("%s=%s\n" % (name, value))
    return "".join(out)


def parse_verbatim(text):
    """Variables of a file as podman-compose hands them on: one a line, quotes and all."""
    found = re.findall(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)=([^\r\n]*)", text, re.M)
    return {name: value for name, value in found}


# How a file is read and rewritten, by who reads it: Ruby and Node, podman-compose and Docker Compose v1, or Docker Compose since v2.
FORMS = {
    "dotenv": (parse, rewrite),
    "verbatim": (parse_verbatim, rewrite_verbatim),
    "compose": (composeenv.parse, composeenv.rewrite),
}


def fingerprint(salt, name, value):
    """What may be told of a secret: enough to compare it, not enough to find it."""
    text = "%s\0%s" % (name, value)
    return hmac.new(salt.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def read(path, form="dotenv"):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return FORMS[form][0](file.read())


if __name__ == "__main__" and sys.argv[1:2] == ["get"]:
    sys.stdout.reconfigure(errors="surrogateescape")
    print(read(sys.argv[2], *sys.argv[4:5]).get(sys.argv[3], ""), end="")
elif __name__ == "__main__" and sys.argv[1:2] == ["json"]:
    print(json.dumps(read(sys.argv[2])))
