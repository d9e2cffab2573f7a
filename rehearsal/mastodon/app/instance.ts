import { Bucket } from "./bucket";
import { type Config, number } from "./config";
import { Database } from "./database";
import { Disk } from "./disk";
import { Web } from "./outgoing";
import { Redis, RedisConnectionError, redisOptions } from "./redis";
import type { Storage } from "./storage";

/** What web and Sidekiq both work with: database, the three Redis roles, files, and the way out. */
export interface Instance {
  config: Config;
  db: Database;
  redis: Redis;
  cache: Redis;
  sidekiq: Redis;
  storage: Storage;
  web: Web;
}

export function connect(config: Config, o: { title: string; pool: number }): Instance {
  const { env } = config;
  return {
    config,
    db: new Database(env, number(env, "DB_POOL", o.pool), o.title),
    redis: new Redis(redisOptions(env)),
    cache: new Redis(redisOptions(env, "CACHE_")),
    sidekiq: new Redis({ ...redisOptions(env, "SIDEKIQ_"), timeoutMs: 3000 }),
    // One decision for all processes, taken when they start: rows don't say where their files are.
    storage: env.S3_ENABLED === "true" ? new Bucket(env) : new Disk(config.mediaRoot),
    web: new Web(env),
  };
}

export async function disconnect(i: Instance): Promise<void> {
  for (const redis of [i.redis, i.cache, i.sidekiq]) redis.close();
  await i.db.close();
}

/** A value kept in the Rails cache for so many seconds. */
export async function cached<T>(
  i: Instance,
  key: string,
  seconds: number,
  make: () => Promise<T>,
): Promise<T> {
  const known = await failsafe(() => i.cache.call<string | null>("GET", `cache:${key}`));
  if (known) return JSON.parse(known) as T;
  const value = await make();
  await failsafe(() => i.cache.call("SET", `cache:${key}`, JSON.stringify(value), "EX", seconds));
  return value;
}

/** The Rails cache hides that its Redis is away or read-only: nothing is known then, nothing kept. */
export async function failsafe<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof RedisConnectionError) return undefined;
    throw e;
  }
}
