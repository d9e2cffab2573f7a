"""Sidekiq's processes as Redis knows them: `identity quiet busy`, a line each. Argument: a dotenv file of Mastodon."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import mastodon_env  # noqa: E402
from resp import Redis  # noqa: E402


def main(path):
    at = mastodon_env.redis(dotenv.read(path), "SIDEKIQ_")
    address = at.get("path") or (at["host"], at["port"])
    redis = Redis(address, at.get("user"), at.get("password"), at["database"])
    for identity in redis.call("SMEMBERS", "processes"):
        quiet, busy = redis.call("HMGET", identity, "quiet", "busy")
        if busy is not None:  # an entry that expired belongs to a process that is gone
            print(identity, "quiet" if quiet == "true" else "working", busy)
    redis.close()


if __name__ == "__main__":
    main(sys.argv[1])
