"""Reads and rewrites an env file as Docker Compose v2 does (its documentation: "Syntax for environment files").

Unquoted and double-quoted values are interpolated, ` #` begins a comment, single quotes are literal, `\\` escapes a quote;
in double quotes \\n, \\r, \\t, \\\\ and their like are escapes. Quoted values may span lines. What a value takes from the
shell or from the project's own .env is not known here: it counts as not set.
"""

import re

SKIPPED = re.compile(r"(?:\s|#[^\n]*)*")
NAME = re.compile(r"(?:export[ \t]+)?(?P<name>[^=:\n]*?)[ \t\v\f\r]*(?:(?P<sign>[=:])|\n|\Z)[ \t\v\f\r]*")
QUOTED = {q: re.compile(r"%s((?:\\.|[^\\%s])*)%s" % (q, q, q), re.S) for q in "'\""}
REST = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
ESCAPE = re.compile(r"\\(?:([abfnrtv$\"\\])|0([0-3][0-7]{2}))")
# `$$` is how Compose writes a dollar sign that begins no variable.
ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}
VARIABLE = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{)")
BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-+?])(.*))?", re.S)


def parse(text):
    """All variables of a file; a later line wins over an earlier one. ValueError where Compose would refuse the file."""
    values = {}
    for name, raw, _, _ in assignments(text):
        try:
            values[name] = decode(raw, values)
        except ValueError as why:
            raise ValueError("%s: %s" % (name, why)) from None
    return values


def assignments(text):
    """(name, raw value, where its line begins, where the next begins) of each; a name alone is the shell's to set."""
    at = 1 if text.startswith("\ufeff") else 0
    while True:
        at = SKIPPED.match(text, at).end()
        if at == len(text):
            return
        head = NAME.match(text, at)
        start, at = at, head.end()
        if not head["sign"]:
            continue
        if text[at : at + 1] in QUOTED:
            quoted = QUOTED[text[at]].match(text, at)
            if not quoted:
                raise ValueError("%s: a quote that is never closed" % head["name"])
            raw, at = quoted[0], quoted.end()
            rest = REST.match(text, at)
            end = rest.end() if rest else at
        else:
            end = (text.find("\n", at) + 1) or len(text)
            raw, at = text[at:end].split(" #")[0].rstrip(), end
        yield head["name"], raw, len(text[:start].rstrip(" \t")), end


def decode(raw, known):
    """The value of what stands after the equals sign."""
    if raw[:1] not in QUOTED:
        return expand(raw, known)
    inside = re.sub(r"\\(.)", lambda m: m[1] if m[1] == raw[0] else m[0], raw[1:-1], flags=re.S)
    if raw[0] == "'":
        return inside
    return expand(ESCAPE.sub(lambda m: chr(int(m[2], 8)) if m[2] else ESCAPED.get(m[1], m[1]), inside), known)


def expand(text, known):
    out, at = [], 0
    for match in iter(lambda: VARIABLE.search(text, at), None):
        out.append(text[at : match.start()])
        at = match.end()
        if match[1] or match[2]:
            out.append(match[1] or known.get(match[2], ""))
            continue
        end = closing(text, at)
        out.append(braced(text[at:end], known))
        at = end + 1
    return "".join(out) + text[at:]


def closing(text, at):
    """Where the brace ends that was opened just before."""
    depth = 1
    for brace in re.finditer(r"[{}]", text[at:]):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return at + brace.start()
    raise ValueError("a ${ that is never closed")


def braced(inside, known):
    """${NAME}, with :- - (default), :+ + (instead), :? ? (must be there); the colon counts an empty value as none."""
    match = BRACED.fullmatch(inside)
    if not match:
        raise ValueError("a ${ that names no variable")
    name, colon, sign, word = match.groups()
    value = known.get(name)
    there = value is not None and not (colon and not value)
    if sign == "?" and not there:
        raise ValueError("it must have %s, which the file does not set" % name)
    if (sign == "-" and not there) or (sign == "+" and there):
        return expand(word, known)
    return "" if sign == "+" else value or ""


def encode(value):
    """The value as text that Compose reads back as just this."""
    if re.fullmatch(r"[A-Za-z0-9_./:,@%+=-]*", value):
        return value
    if not re.search(r"['\\\r\n]", value):
        return "'" + value + "'"
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("$", "$$"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, escaped)
    return '"' + value + '"'


def rewrite(text, changes):
    """The text with the named variables set (None removes); every other byte stays as it is."""
    left, out, at = dict(changes), [], 0
    for name, _, start, end in assignments(text):
        if name not in changes:
            continue
        out.append(text[at:start])
        at = end
        # Of a variable that is set twice only the first line stays: the last one would win.
        value = left.pop(name, None)
        if value is not None:
            out.append("%s=%s%s" % (name, encode(value), "\r\n" if text[start:end].endswith("\r\n") else "\n"))
    text = "".join(out) + text[at:]
    added = "".join("%s=%s\n" % (name, encode(value)) for name, value in left.items() if value is not None)
    return text + ("\n" if added and text and not text.endswith("\n") else "") + added
