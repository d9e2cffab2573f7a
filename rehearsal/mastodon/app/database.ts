import { createHash } from "node:crypto";
import pg, { type PoolClient, type PoolConfig, type QueryResultRow } from "pg";
import type { Env } from "./config";
import { learn, NamedSocket } from "./lookup";

// Ids exceed 2^53 and the API shows them as strings: leave them so. Timestamps without zone are UTC, as Rails writes them.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMP, (s) => new Date(s.replace(" ", "T") + "Z"));

type Values = unknown[];
export type Row = QueryResultRow;

/** Where the database is, by DATABASE_URL or else DB_*, as database.yml of the real one. */
export function poolConfig(env: Env, max: number, title: string): PoolConfig {
  const common: PoolConfig = { max, fallback_application_name: title, keepAlive: true, options: undefined };
  if (env.DATABASE_URL) return { ...common, connectionString: env.DATABASE_URL };
  return {
    ...common,
    host: env.DB_HOST || "localhost",
    port: Number(env.DB_PORT || 5432),
    database: env.DB_NAME || "mastodon_production",
    user: env.DB_USER || "mastodon",
    password: env.DB_PASS || undefined,
    ssl: ["require", "verify-ca", "verify-full"].includes(env.DB_SSLMODE ?? "")
      ? { rejectUnauthorized: env.DB_SSLMODE !== "require" }
      : false,
  };
}

/** Whether an error says that the connection is gone, rather than that the statement was wrong. */
export function isConnectionError(e: unknown): boolean {
  const { code = "", message = "" } = e as { code?: string; message?: string };
  return (
    /^(08|57P0[123]|ECONN|EPIPE|ENOENT|ETIMEDOUT)/.test(code) ||
    /Connection terminated|not queryable/.test(message)
  );
}

/** One session inside a transaction. */
export interface Session {
  rows<T extends Row>(sql: string, values?: Values): Promise<T[]>;
  one<T extends Row>(sql: string, values?: Values): Promise<T | undefined>;
}

/**
 * The pool as ActiveRecord (7.1 and later) behaves: a thread waits 5 s for a connection, a read on a lost connection is
 * tried once more, so is a BEGIN; anything else fails.
 */
export class Database implements Session {
  private readonly pool: pg.Pool;
  private readonly prepared: boolean;

  constructor(env: Env, size: number, title: string) {
    this.prepared = env.PREPARED_STATEMENTS !== "false";
    const config = poolConfig(env, size, title);
    if (config.host && !config.host.startsWith("/")) learn(config.host);
    this.pool = new pg.Pool({
      ...config,
      stream: () => new NamedSocket(),
      connectionTimeoutMillis: 5000,
      idleTimeoutMillis: 300_000,
    });
    // A connection that dies while idle is simply not used again; one in use fails its query.
    this.pool.on("error", ignore);
    this.pool.on("connect", (client) => client.on("error", ignore));
  }

  async rows<T extends Row>(sql: string, values: Values = []): Promise<T[]> {
    const repeatable = /^\s*(SELECT|WITH)\b/i.test(sql) && !/\b(INSERT|UPDATE|DELETE)\b/i.test(sql);
    try {
      return await this.once<T>(sql, values);
    } catch (e) {
      if (!repeatable || !isConnectionError(e)) throw e;
      return this.once<T>(sql, values);
    }
  }

  async one<T extends Row>(sql: string, values: Values = []): Promise<T | undefined> {
    return (await this.rows<T>(sql, values))[0];
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.begin().catch((e) => {
      if (!isConnectionError(e)) throw e;
      return this.begin();
    });
    const rows = async <R extends Row>(sql: string, values: Values = []) =>
      (await client.query<R>(this.statement(sql, values))).rows;
    try {
      const result = await work({ rows, one: async (sql, values) => (await rows(sql, values))[0] as never });
      await client.query("COMMIT");
      client.release();
      return result;
    } catch (e) {
      const rolledBack = await client.query("ROLLBACK").then(
        () => true,
        () => false,
      );
      client.release(!rolledBack);
      throw e;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async begin(): Promise<PoolClient> {
    const client = await this.pool.connect();
    try {
      await client.query("BEGIN");
      return client;
    } catch (e) {
      client.release(true);
      throw e;
    }
  }

  private async once<T extends Row>(sql: string, values: Values): Promise<T[]> {
    const client = await this.pool.connect();
    try {
      const { rows } = await client.query<T>(this.statement(sql, values));
      client.release();
      return rows;
    } catch (e) {
      client.release(isConnectionError(e));
      throw e;
    }
  }

  private statement(text: string, values: Values) {
    // A named statement lives in one server session: behind a pooler in transaction mode this fails, as it should.
    const name = this.prepared ? "a" + createHash("md5").update(text).digest("hex").slice(0, 16) : undefined;
    return { name, text, values };
  }
}

const ignore = () => undefined;
