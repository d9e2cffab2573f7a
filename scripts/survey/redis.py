"""Redis as Mastodon sees it; on the target the one that stands ready, not the source's behind the proxy."""

import re

import mastodon_env
import resp
from probe import Unreadable, note


def address_of(settings, env):
    where = mastodon_env.redis(env)
    if settings["side"] == "target":
        where = {**where, "host": "127.0.0.1", "port": 6379}
        where.pop("path", None)
    return where


def connect(where):
    address = where.get("path") or (where["host"], where["port"])
    return resp.Redis(address, where["user"], where["password"], where["database"])


def redis(settings, env):
    where = address_of(settings, env)
    try:
        client = connect(where)
        info = client.info()
    except (OSError, resp.RedisError) as why:
        if isinstance(why, ConnectionRefusedError) and settings["side"] == "target":
            return None
        note("redis", why)
        return nothing(where)
    replica = info.get("role") == "slave"
    others = [int(key[2:]) for key in info if re.fullmatch(r"db\d+", key) and int(key[2:]) != where["database"]]
    answer = {
        **nothing(where),
        "version": info.get("valkey_version") or info["redis_version"],
        "kind": "valkey" if "valkey_version" in info else "redis",
        "role": "replica" if replica else "master",
        "masterHost": info.get("master_host") if replica else None,
        "masterPort": int(info["master_port"]) if replica else None,
        "linkUp": info.get("master_link_status") == "up" if replica else None,
        "usedBytes": int(info["used_memory"]),
        "maxmemoryPolicy": info.get("maxmemory_policy"),
        "appendonly": info.get("aof_enabled") == "1",
        "rdbSaving": info.get("rdb_bgsave_in_progress") == "1",
        "replicas": [replica_of(value) for key, value in info.items() if re.fullmatch(r"slave\d+", key)],
        "databases": setting(client, "databases"),
        "otherDatabases": others,
    }
    client.close()
    return answer


def nothing(where):
    """What is known of a Redis that does not answer."""
    return {
        "version": "", "kind": "redis", "port": where.get("port", 0), "role": "down", "masterHost": None, "masterPort": None,
        "linkUp": None, "usedBytes": None, "maxmemoryPolicy": None, "appendonly": None, "rdbSaving": None, "replicas": [],
        "requiresPassword": bool(where["password"]), "databases": None, "otherDatabases": [],
    }  # fmt: skip


def replica_of(value):
    fields = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
    return {"address": fields.get("ip", ""), "port": int(fields.get("port", 0)), "state": fields.get("state", "")}


def setting(client, name):
    try:
        return int(client.call("CONFIG", "GET", name)[1])
    except (resp.RedisError, IndexError, TypeError, ValueError):
        return None


def quiet(where, hostname):
    """Whether every Sidekiq process of this host has been told to take no more jobs; None if there is none."""
    try:
        client = connect(where)
        mine = [p for p in client.call("SMEMBERS", "processes") if p.startswith(hostname + ":")]
        states = [client.call("HGET", p, "quiet") for p in mine]
        client.close()
    except (OSError, resp.RedisError) as why:
        raise Unreadable("Sidekiq's processes: %s" % why) from None
    states = [state for state in states if state is not None]
    return all(state == "true" for state in states) if states else None
