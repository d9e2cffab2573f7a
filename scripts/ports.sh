# Every port of the move, and nowhere else in shell; Python and configuration files get them as settings.
# shellcheck shell=bash

# On the target: forwards to the source, one tunnel each.
PORT_SQL=15432     # the app's SQL, until the switchover
PORT_WAL=15433     # streaming replication
PORT_COPY=15434    # base backup
PORT_REDIS=16379   # the source's Redis
PORT_CONTROL=17001 # the source's agent
PORT_MEDIA=18091   # files that have not been copied yet

# On the target: what the app talks to.
PORT_POOLER=6432       # PgBouncer
PORT_REDIS_PROXY=6380  # HAProxy for Redis
PORT_TARGET_PG=5432    # the target's own Postgres
PORT_TARGET_REDIS=6379 # and Redis
REDIS_PROXY_ADMIN=/run/haproxy/admin.sock

# On the source: what the forwards end at, and the reverse forwards for the way back.
PORT_AGENT=17000
PORT_SOURCE_MEDIA=18090
PORT_BACK_PG=25432
PORT_BACK_REDIS=26379

# Where the app runs: a second web process, while the first one is restarted.
PORT_NEXT_WEB=13000
