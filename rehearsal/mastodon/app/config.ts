import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseDotenv } from "./dotenv";

/** The environment a process runs with: its own first, then `.env.production` of the working directory. */
export type Env = Record<string, string | undefined>;

export const VERSION = "4.5.15";
export const SCHEMA_VERSION = "20251023210145";

/** A reason not to start, told as the real one does: a message on stderr and exit status 1. */
export class BootError extends Error {}

/** What every program of the instance derives from its environment. */
export interface Config {
  env: Env;
  root: string;
  localDomain: string;
  webDomain: string;
  hosts: string[];
  mediaRoot: string;
  mediaUrl: string;
}

/** Reads the environment as Rails would, and refuses what it refuses. */
export function loadRails(): Config {
  if (process.env.RAILS_ENV !== "production")
    throw new BootError(
      `RAILS_ENV is ${process.env.RAILS_ENV ?? "not set"}: the database mastodon_development does not exist`,
    );
  const env = read("ruby");
  refuse(env);
  return derive(env);
}

/** The streaming server reads the same file only when NODE_ENV is production, and knows no boot checks. */
export function loadStreaming(): Config {
  return derive(process.env.NODE_ENV === "production" ? read("node") : { ...process.env });
}

function read(language: "ruby" | "node"): Env {
  const file = path.resolve(".env.production");
  const written = existsSync(file) ? parseDotenv(readFileSync(file, "utf8"), language) : {};
  return { ...written, ...process.env };
}

function refuse(env: Env): void {
  if (env.REDIS_NAMESPACE)
    throw new BootError(
      "ERROR: the REDIS_NAMESPACE environment variable is not supported anymore since Mastodon 4.4",
    );
  if (!env.SECRET_KEY_BASE)
    throw new BootError("ArgumentError: `secret_key_base` for production environment must be set");
  for (const name of ["DETERMINISTIC_KEY", "KEY_DERIVATION_SALT", "PRIMARY_KEY"]) {
    const value = env[`ACTIVE_RECORD_ENCRYPTION_${name}`];
    if (!value || value.endsWith("DO_NOT_USE_IN_PRODUCTION"))
      throw new BootError(
        `Mastodon now requires that these variables are set: ACTIVE_RECORD_ENCRYPTION_${name} is ` +
          `${value ? "an example value" : "missing"}. Run \`bin/rails db:encryption:init\` to generate new secrets.`,
      );
  }
}

function derive(env: Env): Config {
  const localDomain = (env.LOCAL_DOMAIN || `localhost:${env.PORT || 3000}`).toLowerCase();
  const webDomain = (env.WEB_DOMAIN || localDomain).toLowerCase();
  const alternates = (env.ALTERNATE_DOMAINS ?? "").split(/\s*,\s*/).filter(Boolean);
  return {
    env,
    root: process.cwd(),
    localDomain,
    webDomain,
    hosts: [...new Set([localDomain, webDomain, ...alternates])],
    mediaRoot: path.resolve(env.PAPERCLIP_ROOT_PATH || "public/system"),
    mediaUrl: absolute(env.PAPERCLIP_ROOT_URL || "/system", env.CDN_HOST || `https://${webDomain}`),
  };
}

const absolute = (url: string, host: string) =>
  (/^https?:/.test(url) ? url : host.replace(/\/$/, "") + url).replace(/\/$/, "");

/** A whole number from the environment. */
export function number(env: Env, name: string, otherwise: number): number {
  const value = env[name];
  return value && /^\d+$/.test(value) ? Number(value) : otherwise;
}

/** Runs a program's main function; what it can't start with goes to stderr, as does what kills it. */
export function main(program: () => Promise<void>): void {
  // After the file was read to its end, so that a program may stand above the classes it uses.
  const started = Promise.resolve().then(program);
  started.catch((e: Error) => {
    process.stderr.write(`${e instanceof BootError ? e.message : e.stack}\n`);
    process.exit(1);
  });
}
