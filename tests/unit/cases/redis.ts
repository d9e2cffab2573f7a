import { type Case, onSource, seen } from "./worlds";
import { redisUse, source, target } from "../raws";
import type { RedisUse } from "../../../survey/raw-app";
import { migration } from "../configs";

/** One part of the app finds Redis elsewhere than the others. */
const uses = (code: string, evidence: RegExp, change: Partial<RedisUse>): Case[] => [
  [
    code,
    "error",
    evidence,
    onSource((s) => {
      const { redis } = s.mastodon.env;
      s.mastodon.env.redis = redis.map((u) =>
        u.prefix === change.prefix ? redisUse({ ...u, ...change }) : u,
      );
    }),
  ],
];

export const redis: Case[] = [
  ["redis-missing", "error", /no server/, onSource((s) => Object.assign(s, { redis: null }))],
  [
    "redis-missing",
    "error",
    /no server found: ValueError: REDIS_DB is not a number/,
    onSource((s) => {
      s.unread.push({ what: "redis", why: "ValueError: REDIS_DB is not a number" });
      Object.assign(s, { redis: null });
    }),
  ],
  ...uses("redis-elsewhere", /SIDEKIQ_REDIS is 10.0.0.6:6379/, { prefix: "SIDEKIQ_", host: "10.0.0.6" }),
  ...uses("redis-several", /CACHE_REDIS is localhost:6380/, { prefix: "CACHE_", port: 6380 }),
  ...uses("redis-several", /CACHE_REDIS is \/run\/cache.sock/, { prefix: "CACHE_", path: "/run/cache.sock" }),
  ["redis-several", "error", /REDIS_SENTINELS/, onSource((s) => s.mastodon.env.keys.push("REDIS_SENTINELS"))],
  ...uses("redis-tls", /CACHE_REDIS is localhost/, { prefix: "CACHE_", tls: true }),
  [
    "redis-loopback",
    "error",
    /a socket only/,
    onSource((s) => Object.assign(s.redis, { port: 0, loopback: false })),
  ],
  ["redis-loopback", "error", /127.0.0.1:6379/, onSource((s) => (s.redis.loopback = false))],
  [
    "redis-missing",
    "error",
    /does not answer: WRONGPASS/,
    onSource((s) => {
      s.redis.role = "down";
      s.unread.push({ what: "redis", why: "WRONGPASS invalid username-password pair" });
    }),
  ],
  [
    "redis-rights",
    "error",
    /^info$/,
    onSource((s) => Object.assign(s.redis, { role: "down", lacks: ["info"] })),
  ],
  ["redis-rights", "error", /config set, psync/, onSource((s) => (s.redis.lacks = ["config set", "psync"]))],
  [
    "redis-contained",
    "error",
    /^it runs in no systemd unit of this host \(a container\?\)$/,
    onSource((s) => (s.redis.unit = null)),
  ],
  ["redis-contained", "error", /^it was started without a/, onSource((s) => (s.redis.configFile = ""))],
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
  ["redis-databases", "error", /^numbers 1, 2$/, onSource((s) => (s.redis.otherDatabases = [1, 2]))],
  [
    "redis-databases",
    "error",
    /^numbers 3$/,
    onSource((s) => {
      s.mastodon.env.redis.push(redisUse({ prefix: "CACHE_", database: 1 }));
      s.redis.otherDatabases = [1, 3];
    }),
  ],
  ["redis-namespace", "error", /4.5.3/, onSource((s) => s.mastodon.env.keys.push("REDIS_NAMESPACE"))],
  [
    "redis-left-behind",
    "warning",
    /carryRedis is false/,
    seen({ migration: migration({ carryRedis: "false" }) }),
  ],
];
