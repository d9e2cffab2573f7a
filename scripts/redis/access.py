"""How the app logs in to Redis, from its .env.production: JSON with user, password, and the database of the queues.

usage: access.py ENV_FILE
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import dotenv  # noqa: E402
import mastodon_env  # noqa: E402

env = dotenv.read(sys.argv[1])
app, queues = mastodon_env.redis(env), mastodon_env.redis(env, "SIDEKIQ_")
user = app["user"] if app["user"] != "default" else None
print(json.dumps({"user": user or "", "password": app["password"] or "", "database": queues["database"]}))
