"""Writes through PgBouncer and Redis while something happens to them, and keeps a record of what was acknowledged.

usage: load.py APP_PASSWORD_FILE REDIS_PASSWORD RECORD STOP [CLIENTS] [THINK_MS]
The record is one JSON object: acks per client, values of the counter, jobs pushed, errors, and the longest silence; times in which
the whole machine stood still are no part of it.
"""

import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, "/opt/trunkline/scripts/switchover")
from redislink import Redis, RedisError  # noqa: E402
from wire import Connection, SqlError  # noqa: E402

password = open(sys.argv[1], encoding="utf-8").read()
redis_password, record_path, stop_path = sys.argv[2:5]
clients = int(sys.argv[5]) if len(sys.argv) > 5 else 20
think = (float(sys.argv[6]) if len(sys.argv) > 6 else 5) / 1000
run = time.time_ns() // 1_000_000  # another one also where one load follows the other at once
record = {"run": run, "acks": {}, "counter": [], "jobs": [], "errors": [], "redisErrors": [], "readonly": 0}
moments, redis_moments, slowest = [], [], [0.0]
standstills = []  # (from, to) in which this process was not let run


def stopped():
    return os.path.exists(stop_path)


def connect():
    return Connection(("127.0.0.1", 6432), "trunkline_app", "mastodon_production", password, seconds=130)


def client(number):
    connection, seq = None, 0
    acks = record["acks"].setdefault(str(number), [])
    while not stopped():
        begun = time.monotonic()
        try:
            connection = connection or connect()
            if number == 0:
                record["counter"].append(int(connection.query("UPDATE counter SET v = v + 1 RETURNING v", 130)[0][0]))
            else:
                seq += 1
                connection.query(f"INSERT INTO ledger VALUES ({run % 10_000_000 * 100 + number}, {seq})", 130)
                acks.append(seq)
            now = time.monotonic()
            moments.append(now)
            slowest[0] = max(slowest[0], now - begun)
        except (OSError, SqlError) as error:
            record["errors"].append(f"{number}/{seq}: {error}")
            connection = None
            time.sleep(0.1)
        time.sleep(think)


def pusher(number):
    """Steady ones, and from the fourth on some that come now and then, as processes of an app do."""
    redis, seq, again = None, 0, False
    while not stopped():
        job = f"{run}-{number}-{seq}"
        try:
            redis = redis or Redis("proxy", 6380, {"password": redis_password}, seconds=30)
            redis.call("RPUSH", "queue:test", job)
            record["jobs"].append(job)
            redis_moments.append(time.monotonic())
            seq, again = seq + 1, False
        except RedisError as error:
            if redis is None:
                record["redisErrors"].append(f"{job}: not let in: {error}")
                time.sleep(0.05)
                continue
            redis.close()
            redis = None
            record["readonly"] += 1
            # Definitely not executed: connect again and do the same, as redis-client does, which gives up at the second time.
            if "READONLY" in str(error) and not again:
                again = True
                continue
            record["redisErrors"].append(f"{job}: {error}")
            again = False
        except OSError as error:
            if redis is not None:
                record["redisErrors"].append(f"{job}: {error}")
                seq += 1
            redis = None
            time.sleep(0.05)
        time.sleep(think if number < 3 else random.uniform(0, 0.06))


def told(thread):
    """What ends a writer before its time is an error of the test: it would write no more, and nobody would miss it."""
    record["errors"].append(f"{thread.thread.name} ended: {thread.exc_type.__name__}: {thread.exc_value}")


def clock():
    """Who only sleeps is late when nobody was let run, and never because of a server."""
    last = time.monotonic()
    while not stopped():
        time.sleep(0.01)
        now = time.monotonic()
        if now - last > 0.2:
            standstills.append((last, now))
        last = now


def silence(since, until):
    return until - since - sum(max(0, min(until, b) - max(since, a)) for a, b in standstills)


def longest(times):
    times = sorted(times)
    return round(max((silence(a, b) for a, b in zip(times, times[1:])), default=0) * 1000, 1)


threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)] + [threading.Thread(target=pusher, args=(n,)) for n in range(13)]
threads.append(threading.Thread(target=clock))
threading.excepthook = told
began = time.monotonic()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
record.update(gapMs=longest(moments), redisGapMs=longest(redis_moments), slowestMs=round(slowest[0] * 1000, 1), perSecond=round(len(moments) / (time.monotonic() - began)))
with open(record_path, "w", encoding="utf-8") as file:
    json.dump(record, file)
