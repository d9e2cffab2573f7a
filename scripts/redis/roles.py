"""Says in one line who is Redis' primary after the switch. The app's login on stdin as access.py prints it.

usage: roles.py PORT_HERE PORT_SOURCE PORT_PROXY
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "switchover"))
from redislink import Redis, RedisError  # noqa: E402

login = json.load(sys.stdin)
here, source, proxy = (Redis(name, int(port), login) for name, port in zip(("here", "source", "proxy"), sys.argv[1:]))


def says():
    new, old = here.info("replication"), source.info("replication")
    if new["role"] != "master":
        return f"this Redis is a {new['role']}"
    if old["role"] != "slave" or old["master_link_status"] != "up":
        return f"the source's is a {old['role']} with its link {old.get('master_link_status', 'nowhere')}"
    if proxy.info("server")["run_id"] != here.info("server")["run_id"]:
        return "HAProxy still leads to the source"
    return "primary here, replica in step"


end = time.monotonic() + 30
try:
    while (said := says()) != "primary here, replica in step" and time.monotonic() < end:
        time.sleep(0.2)
except (OSError, RedisError) as error:
    said = str(error)
print(said)
