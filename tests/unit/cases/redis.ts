import { type Case, onSource, seen } from "./worlds";
import { source, target } from "../raws";
import { migration } from "../configs";

export const redis: Case[] = [
  ["redis-missing", "error", /no server/, onSource((s) => Object.assign(s, { redis: null }))],
  [
    "redis-elsewhere",
    "error",
    /SIDEKIQ_REDIS_HOST is 10.0.0.6/,
    onSource((s) => (s.mastodon.env.values["SIDEKIQ_REDIS_HOST"] = "10.0.0.6")),
  ],
  ["redis-several", "error", /CACHE_REDIS_URL/, onSource((s) => s.mastodon.env.keys.push("CACHE_REDIS_URL"))],
  ["redis-too-old", "error", /6.0.16/, onSource((s) => (s.redis.version = "6.0.16"))],
  [
    "redis-newer",
    "error",
    /source 7.2.4, target 7.0.15/,
    seen({
      source: source((s) => (s.redis.version = "7.2.4")),
      target: target((t) => (t.redis = source().redis)),
    }),
  ],
  [
    "redis-replica",
    "error",
    /of 10.0.0.7:6379/,
    onSource((s) => Object.assign(s.redis, { role: "replica", masterHost: "10.0.0.7", masterPort: 6379 })),
  ],
  ["redis-policy", "warning", /allkeys-lru/, onSource((s) => (s.redis.maxmemoryPolicy = "allkeys-lru"))],
  ["redis-databases", "note", /numbers 1, 2/, onSource((s) => (s.redis.otherDatabases = [1, 2]))],
  ["redis-namespace", "error", /4.5.3/, onSource((s) => s.mastodon.env.keys.push("REDIS_NAMESPACE"))],
  [
    "redis-left-behind",
    "warning",
    /carryRedis is false/,
    seen({ migration: migration({ carryRedis: "false" }) }),
  ],
];
