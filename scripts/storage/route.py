"""route.py files|writes|reads|all ADDRESS PORT [FILE [END [OTHER…]]]: leads what nginx sends to the web process at ADDRESS to the one on
PORT.

`files` prints which of nginx's files name the address, or an upstream with it; the others print FILE's text with everything, whatever
may write, or what only reads led away. END makes the names in it FILE's own where there are more files: nginx knows them all by one
table. In OTHER files there may stand upstreams that FILE uses.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402

READS = ("GET", "HEAD", "OPTIONS")


def forms(address):
    """How nginx may write the address in `server` and in `proxy_pass`."""
    if address.startswith("unix:"):
        return [address], ["http://" + address]
    port = address.rpartition(":")[2]
    hosts = [h + ":" + port for h in ("127.0.0.1", "localhost", "[::1]")]
    return hosts, ["http://" + host for host in hosts]


def parts(text, address):
    """(servers, passes, blocks) of a file: `server ADDRESS` of upstreams, `proxy_pass` to them or to the address, and server blocks."""
    servers, passes = forms(address)
    tree = list(nginxconf.walk(nginxconf.parse(text)))
    own = [(u.values[0], s) for u in tree if u.name == "upstream" and u.block for s in u.all("server") if s.values[0] in servers]
    direct = [d for d in tree if d.name == "proxy_pass" and d.values and d.values[0].rstrip("/") in passes]
    return own, direct, tree


def passed_to(tree, names):
    """The `proxy_pass` to upstreams of these names."""
    return [d for d in tree if d.name == "proxy_pass" and d.values and d.values[0][:7] == "http://" and d.values[0][7:] in names]


def swap(text, edits):
    """Edits are (start, end, new); applied from the end."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def everything(text, address, port):
    own, direct, _ = parts(text, address)
    new = "127.0.0.1:" + port
    edits = []
    for _, server in own:
        edits.append((server.start, server.end, text[server.start : server.end].replace(server.values[0], new, 1)))
    for line in direct:
        old = line.values[0].rstrip("/")
        edits.append((line.start, line.end, text[line.start : line.end].replace(old, "http://" + new, 1)))
    return swap(text, edits)


def some(text, address, port, what, end="", others=()):
    """Leads the writes away, or the reads."""
    _, direct, tree = parts(text, address)
    names = {name for each in (text, *others) for name, _ in parts(each, address)[0]}
    passes = passed_to(tree, names)
    targets = {d.values[0][7:] for d in passes + direct if not d.values[0].endswith("/")}
    second = "trunkline_next_web" + end
    edits, head = [], "upstream %s {\n  server 127.0.0.1:%s fail_timeout=0;\n}\n" % (second, port)
    for number, target in enumerate(sorted(targets)):
        variable = "trunkline_web_%d%s" % (number, end)
        # With a variable nginx has to know the name of an upstream, or look it up: an address becomes an upstream too.
        group = target
        if target not in names:
            group = "trunkline_web_was_%d%s" % (number, end)
            head += "upstream %s {\n  server %s fail_timeout=0;\n}\n" % (group, target)
        write, read = (second, group) if what == "writes" else (group, second)
        reads = "".join("  %s %s;\n" % (method, read) for method in READS)
        head += "map $request_method $%s {\n  default %s;\n%s}\n" % (variable, write, reads)
        for line in passes + direct:
            if line.values[0][7:] == target:
                edits.append((line.start, line.end, "proxy_pass http://$%s;" % variable))
    if not edits:
        return text
    sites = [d.start for d in tree if d.name == "server" and d.block and any(x.name == "listen" for x in d.block)]
    if not sites and not direct:
        return text  # a snippet of a site: `all` leads it, by its upstream
    if not sites:
        sys.exit("its `proxy_pass` stands outside of a `server` block; move these lines into the site's own file, or name an `upstream` there")
    return swap(text, edits + [(min(sites), min(sites), head)])


def naming(address):
    """Which of nginx's files name the address, or an upstream with it."""
    shown = subprocess.run(["nginx", "-T"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, errors="surrogateescape").stdout
    texts = re.split(r"^# configuration file (.+):\n", shown, flags=re.M)
    found = [(path, *parts(text, address)) for path, text in zip(texts[1::2], texts[2::2])]
    names = {name for _, own, _, _ in found for name, _ in own}
    return [os.path.realpath(path) for path, own, direct, tree in found if own or direct or passed_to(tree, names)]


def content(file):
    with open(file, encoding="utf-8", errors="surrogateescape", newline="") as source:
        return source.read()


def main(what, address, port, file=None, end="", *others):
    if what == "files":
        print("".join(path + "\n" for path in naming(address)), end="")
        return
    text = content(file)
    sys.stdout.reconfigure(errors="surrogateescape", newline="")
    led = everything(text, address, port) if what == "all" else some(text, address, port, what, end, map(content, others))
    print(led, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
