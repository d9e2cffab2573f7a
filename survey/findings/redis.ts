import { type Check, error, older, risk, warning } from "../finding";
import { reached } from "../phase";
import type { Raw } from "../raw";
import type { RedisUse } from "../raw-app";

export const missing: Check = ({ source, at }) =>
  source &&
  !reached(at, "switch") &&
  (!source.redis || (source.redis.role === "down" && !source.redis.lacks.length)) &&
  error(
    "redis-missing",
    "there is no Redis on the source",
    `${source.redis ? `port ${source.redis.port} does not answer` : "no server found"}${because(source)}`,
    "start it; a Redis on another server is not what this migration moves",
  );

function because(source: Raw): string {
  const why = source.unread.find((u) => u.what === "redis")?.why;
  return why ? `: ${why}` : "";
}

const loopback = /^(localhost|127\.[\d.]+|::1)$/;

/** Where a part of the app finds Redis, as one text; all names of this host's loopback are the same. */
function placeOf({ host, port, path }: RedisUse): string {
  return path ?? `${loopback.test(host ?? "") ? "localhost" : host}:${port}`;
}

const shown = (uses: RedisUse[]) => uses.map((u) => `${u.prefix}REDIS is ${placeOf(u)}`).join(", ");

export const elsewhere: Check = ({ source }) => {
  const own = ["localhost", ...(source?.host.addresses.ipv4 ?? []), ...(source?.host.addresses.ipv6 ?? [])];
  const far =
    source?.mastodon?.env.redis.filter((u) => u.host && !loopback.test(u.host) && !own.includes(u.host)) ??
    [];
  return (
    far.length > 0 &&
    error(
      "redis-elsewhere",
      "the app's Redis is on another server",
      shown(far),
      "move it to the source first: the Redis that runs there is what is carried",
    )
  );
};

export const several: Check = ({ source }) => {
  const env = source?.mastodon?.env;
  const sentinel = env?.keys.filter((k) => /REDIS_SENTINEL/.test(k)) ?? [];
  const places = new Set(env?.redis.map(placeOf));
  return (
    (places.size > 1 || sentinel.length > 0) &&
    error(
      "redis-several",
      "the app uses more than one Redis, or Sentinel",
      [...sentinel, shown(env?.redis ?? [])].join(", "),
      "bring them together into one server (SIDEKIQ_REDIS_* and CACHE_REDIS_* as REDIS_*, with the same host or socket) before the move: one Redis is carried, all of its databases included",
    )
  );
};

export const encrypted: Check = ({ source }) => {
  const uses = source?.mastodon?.env.redis.filter((u) => u.tls) ?? [];
  return (
    uses.length > 0 &&
    error(
      "redis-tls",
      "the app speaks TLS with its Redis",
      shown(uses),
      "let Redis listen on 127.0.0.1 without TLS too, and name that (redis:// instead of rediss://): the tunnel encrypts",
    )
  );
};

export const unreachable: Check = ({ source, at }) => {
  const redis = source?.redis;
  return (
    redis &&
    redis.role !== "down" &&
    !redis.loopback &&
    !reached(at, "switch") &&
    error(
      "redis-loopback",
      "Redis on the source does not listen where the tunnel ends",
      redis.port ? `no answer on 127.0.0.1:${redis.port}` : "it has a socket only (port 0)",
      "let it listen there too: `port 6379` and `bind 127.0.0.1` in redis.conf, and restart it at a quiet time (from 7.0 on CONFIG SET port and bind do it at once)",
    )
  );
};

/** Its role has to last over a restart, and it has to reach this host's loopback, where the tunnel begins. */
export const contained: Check = ({ source, at, migration: m }) => {
  const redis = source?.redis;
  if (!redis || redis.role === "down" || !m.carryRedis || reached(at, "switch")) return null;
  const why = [
    ...(redis.unit ? [] : ["it runs in no systemd unit of this host (a container?)"]),
    ...(redis.configFile ? [] : ["it was started without a configuration file"]),
  ];
  return (
    why.length > 0 &&
    error(
      "redis-contained",
      "Redis on the source can't change its role",
      why.join(", "),
      "let it run on the host itself, by its package's unit and file (apt-get install redis-server), with the container's dump.rdb or appendonlydir in /var/lib/redis: at the switch it has to follow the target through the host's own loopback, and to keep that over a restart",
    )
  );
};

export const rights: Check = ({ source, at, migration: m }) =>
  m.carryRedis &&
  !reached(at, "switch") &&
  !!source?.redis?.lacks.length &&
  error(
    "redis-rights",
    "the app's login may not do in Redis what a move needs",
    source.redis.lacks.join(", "),
    "give its user these commands for the time of the migration (ACL SETUSER NAME +@all), and do not rename them",
  );

export const tooOld: Check = ({ source, migration: m }) =>
  source?.redis &&
  m.carryRedis &&
  source.redis.role !== "down" &&
  source.redis.kind === "redis" &&
  older(source.redis.version, "6.2") &&
  error(
    "redis-too-old",
    "the source's Redis is too old to be carried",
    `it has ${source.redis.version}; writes can be paused from 6.2 on`,
    "upgrade Redis on the source, or set carryRedis to false: feeds are then built anew, and queues have to be drained",
  );

export const newerThanTarget: Check = ({ source, target, migration: m }) =>
  m.carryRedis &&
  source?.redis &&
  source.redis.role !== "down" &&
  target?.redis &&
  older(target.redis.version, source.redis.version.split(".").slice(0, 2).join(".")) &&
  error(
    "redis-newer",
    "the source's Redis is newer than the target's",
    `source ${source.redis.version}, target ${target.redis.version}`,
    "install the source's version or a newer one on the target: an older one can't load its data",
  );

export const replica: Check = ({ source, at }) =>
  source?.redis?.role === "replica" &&
  !reached(at, "switch") &&
  error(
    "redis-replica",
    "the source's Redis is a replica itself",
    `of ${source.redis.masterHost}:${source.redis.masterPort}`,
    "make it a master first (REPLICAOF NO ONE)",
  );

export const policy: Check = ({ source }) =>
  source?.redis?.maxmemoryPolicy &&
  source.redis.maxmemoryPolicy !== "noeviction" &&
  warning(
    "redis-policy",
    "the source's Redis may throw jobs away",
    `maxmemory-policy is ${source.redis.maxmemoryPolicy}`,
    "set it to noeviction; the target's is",
  );

export const databases: Check = ({ source, migration: m }) => {
  const used = source?.mastodon?.env.redis.map((u) => u.database) ?? [];
  const others = source?.redis?.otherDatabases.filter((number) => !used.includes(number)) ?? [];
  return (
    others.length > 0 &&
    risk(
      "redis-databases",
      "Redis holds other databases too",
      `numbers ${others.join(", ")}`,
      `the server moves as a whole: ${m.carryRedis ? "they become read-only here at the switch, stop at retire, and are copied to the target" : "it stops at retire"}. Give another program's a Redis of its own first, empty what nobody uses (redis-cli -n NUMBER FLUSHDB), or accept that`,
    )
  );
};

export const namespace: Check = ({ source }) => {
  if (!source?.mastodon?.env.keys.includes("REDIS_NAMESPACE")) return null;
  const evidence = `REDIS_NAMESPACE is ${source.mastodon.env.values["REDIS_NAMESPACE"] ?? "set"}, Mastodon is ${source.mastodon.version}`;
  return older(source.mastodon.version, "4.4")
    ? warning(
        "redis-namespace",
        "Redis keys have a namespace",
        evidence,
        "nothing for the move: keys and variable are carried as they are. Before an upgrade to 4.4 it has to go",
      )
    : error(
        "redis-namespace",
        "Redis keys have a namespace",
        evidence,
        "this release does not start with it: take it out, after renaming the keys",
      );
};

export const notCarried: Check = ({ migration: m, at }) =>
  !m.carryRedis &&
  !reached(at, "switch") &&
  warning(
    "redis-left-behind",
    "Redis stays behind",
    "carryRedis is false",
    "drain retries and scheduled jobs before the switch: queued jobs, trends and activity counters are lost. Feeds are built anew",
  );
