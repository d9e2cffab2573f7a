"""Says `up` when the Redis on this host follows its master; otherwise what it says. Arguments: port, source's dotenv file."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import mastodon_env  # noqa: E402
from resp import Redis  # noqa: E402


def main(port, path):
    at = mastodon_env.redis(dotenv.read(path))
    redis = Redis(("127.0.0.1", int(port)), at.get("user"), at.get("password"))
    info = redis.info("replication")
    print("up" if info.get("master_link_status") == "up" else "role %s, link %s" % (info["role"], info.get("master_link_status")))


if __name__ == "__main__":
    main(*sys.argv[1:])
