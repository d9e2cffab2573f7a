"""Redis as Mastodon sees it; on the target the one that stands ready, not the source's behind the proxy."""

import re

import mastodon_env
import resp
from probe import Unreadable, await_units, look, note, note_start, unit_of

# What the steps ask of a source's Redis, with the app's own login. None of it is carried out here.
NEEDED = (
    ("config", "get", "port"), ("config", "set", "repl-backlog-size", "1"), ("config", "rewrite"), ("acl", "list"),
    ("info", "replication"), ("dbsize",), ("client", "pause", "1", "write"), ("client", "unpause"), ("psync", "?", "-1"),
    ("replconf", "capa", "eof"), ("replicaof", "no", "one"), ("smembers", "processes"),
)  # fmt: skip


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
        look("whether Redis is starting", await_units, "Redis", ["redis*.service", "valkey*.service"])
        if isinstance(why, ConnectionRefusedError) and settings["side"] == "target":
            return None
        note("redis", why)
        return {**nothing(where), "lacks": ["info"] if "NOPERM" in str(why) else []}
    if info.get("loading") == "1":
        note_start("Redis")
    replica = info.get("role") == "slave"
    listens = look("where Redis listens", tcp_port, client, where) if "path" in where else where["port"]
    others = [int(key[2:]) for key in info if re.fullmatch(r"db\d+", key) and int(key[2:]) != where["database"]]
    answer = {
        **nothing(where),
        "version": info.get("valkey_version") or info["redis_version"],
        "kind": "valkey" if "valkey_version" in info else "redis",
        "unit": look("Redis' unit", unit_of, int(info["process_id"])),
        "configFile": info.get("config_file", ""),
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
        "port": listens or 0,
        "loopback": bool(listens) and look("Redis on loopback", answers_on_loopback, where, listens, default=False),
        "lacks": look("the rights of the app's Redis user", lacking, client, default=[]) if settings["side"] == "source" else [],
    }
    client.close()
    return answer


def tcp_port(client, where):
    """Of a Redis that the app reaches by its socket: the port it listens on as well, 0 if on none."""
    try:
        return int(client.call("CONFIG", "GET", "port")[1])
    except (resp.RedisError, IndexError):
        return 0


def answers_on_loopback(where, port):
    """Whether the same server answers where the tunnel ends."""
    try:
        connect({**{k: v for k, v in where.items() if k != "path"}, "host": "127.0.0.1", "port": port}).close()
        return True
    except (OSError, resp.RedisError):
        return False


def lacking(client):
    """Commands that the app's login may not use, or that were renamed."""
    try:
        me = client.call("ACL", "WHOAMI")
    except resp.RedisError:
        return ["acl"]
    return [" ".join(words[:2] if words[0] in ("config", "client", "acl") else words[:1]) for words in NEEDED if not may(client, me, words)]


def may(client, me, words):
    try:
        return client.call("ACL", "DRYRUN", me, *words) == "OK"
    except resp.RedisError as why:
        # Before 7.0 there is no dry run: whoever has all rights has these.
        if "unknown subcommand" in str(why).lower() or "syntax" in str(why).lower():
            return "+@all" in str(client.call("ACL", "GETUSER", me))
        return False


def nothing(where):
    """What is known of a Redis that does not answer."""
    return {
        "version": "", "kind": "redis", "port": where.get("port", 0), "unit": None, "configFile": "", "role": "down", "masterHost": None, "masterPort": None,
        "linkUp": None, "usedBytes": None, "maxmemoryPolicy": None, "appendonly": None, "rdbSaving": None, "replicas": [],
        "requiresPassword": bool(where["password"]), "databases": None, "otherDatabases": [], "loopback": False, "lacks": [],
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
