"""renewal.py CONF ROOT: prints certbot's settings of one certificate as they have to be on the target; its names come on stdin, one a line.

What the certificate is stays (server, account, kind of key). How its names are proven is by files below ROOT; nginx alone is
told of a new one: installer and hooks of the source may name what is not here.
"""

import re
import sys

STAYS = re.compile(r"(account|server|key_type|rsa_key_size|elliptic_curve|reuse_key|must_staple|preferred_chain|preferred_profile|required_profile)\s*=")


def quoted(text):
    return '"%s"' % text


def rewritten(text, root, names):
    head, _, rest = text.partition("[renewalparams]")
    params = [line for line in rest.partition("[[")[0].splitlines() if STAYS.match(line)]
    # A comma makes it a list.
    params += ["authenticator = webroot", "webroot_path = %s," % quoted(root), "renew_hook = systemctl reload nginx"]
    places = ["%s = %s" % (name, quoted(root)) for name in names]
    return "\n".join([head.rstrip(), "", "[renewalparams]", *params, "[[webroot_map]]", *places])


def main(conf, root):
    with open(conf, encoding="utf-8") as file:
        print(rewritten(file.read(), root, sys.stdin.read().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
