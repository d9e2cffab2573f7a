import { type Check, error, note, older, warning } from "../finding";
import { reached } from "../phase";

const local = /^(|localhost|127\.[\d.]+|::1|\/.*)$/;

export const missing: Check = ({ source, at }) =>
  source &&
  !reached(at, "switch") &&
  (!source.redis || source.redis.role === "down") &&
  error(
    "redis-missing",
    "there is no Redis on the source",
    source.redis ? `port ${source.redis.port} does not answer` : "no server found",
    "start it; a Redis on another server is not what this migration moves",
  );

export const elsewhere: Check = ({ source }) => {
  const env = source?.mastodon?.env;
  const far = ["REDIS_HOST", "CACHE_REDIS_HOST", "SIDEKIQ_REDIS_HOST"].filter(
    (k) => !local.test(env?.values[k] ?? ""),
  );
  return (
    far.length &&
    error(
      "redis-elsewhere",
      "the app's Redis is on another server",
      far.map((k) => `${k} is ${env?.values[k]}`).join(", "),
      "move it to the source first, or set carryRedis to false and drain the queues",
    )
  );
};

export const several: Check = ({ source }) => {
  const keys =
    source?.mastodon?.env.keys.filter((k) => /^(CACHE|SIDEKIQ)_REDIS_|^REDIS_SENTINEL/.test(k)) ?? [];
  return (
    keys.length &&
    error(
      "redis-several",
      "the app uses more than one Redis, or Sentinel",
      keys.join(", "),
      "bring them together into one server (take these variables out) before the move: one Redis is carried",
    )
  );
};

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

export const databases: Check = ({ source }) =>
  source?.redis?.otherDatabases.length &&
  note(
    "redis-databases",
    "Redis holds other databases too",
    `numbers ${source.redis.otherDatabases.join(", ")}`,
    "nothing: they come along, since the whole server is carried",
  );

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
