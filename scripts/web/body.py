"""body.py SITE DOMAIN: how large a request the target has to take: as large as the source did, and as Mastodon's own site at least."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import nginxconf  # noqa: E402

LEAST = "100m"


def body(text, domain):
    """A source that takes more would leave its people with 413, which remote servers count as final."""
    try:
        sites = nginxconf.servers(nginxconf.parse(text))
    except ValueError:
        return LEAST
    sizes = [s.first("client_max_body_size") for s in sites if nginxconf.is_tls(s) and nginxconf.serves(s, domain)]
    sizes = [nginxconf.bytes_of(size) for size in sizes if nginxconf.bytes_of(size) is not None]
    if 0 in sizes:
        return "0"  # without limit
    return str(max(sizes)) if sizes and max(sizes) > nginxconf.bytes_of(LEAST) else LEAST


if __name__ == "__main__":
    path, domain = sys.argv[1:]
    with open(path, encoding="utf-8", errors="surrogateescape") if os.path.exists(path) else open(os.devnull) as file:
        print(body(file.read(), domain))
