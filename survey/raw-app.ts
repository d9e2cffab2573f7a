/** The app's part of what a host tells about itself; the rules stand in raw.ts. */

export interface Mastodon {
  /** Like 4.5.3, from lib/mastodon/version.rb, with suffix (+glitch) if there is one. */
  version: string;
  /** /home/mastodon/live; its owner; the owner's ids and home. */
  dir: string;
  /** The same with links resolved. */
  realDir: string;
  user: string;
  uid: number;
  gid: number;
  home: string;
  /** Bytes of the home without media, log and tmp. */
  appBytes: number | null;
  /** Null where the app's folder is no git checkout, or none that git could read. */
  git: Checkout | null;
  /** Changes with each upgrade or build of the app, and with its units' files; null where it runs by Docker Compose. */
  stamp: string | null;
  env: Env;
  units: { web: Unit[]; sidekiq: Unit[]; streaming: Unit[] };
  /**
   * Encrypted rows there are to prove the keys with: count of users with an otp_secret and of keypairs with a
   * private key (0 if the column is not there).
   */
  encryptedRows: number | null;
  beside: Beside;
  /** Runs by Docker Compose; `units` are then services, and `dir` is the project's folder. Left out elsewhere. */
  compose?: Compose;
}

export interface Checkout {
  /** The address of the remote `origin`, without a password; null: there is none. */
  origin: string | null;
  /** The commit that is checked out. */
  head: string;
  /** A branch of a remote or a tag has that commit, as far as the checkout knows. */
  published: boolean;
  /** Files that differ from the commit; files and folders that are not in it and that no installation makes. 50 of each. */
  changed: string[];
  own: string[];
  /** How many of both there are. */
  count: number;
}

/** What the app leans on besides its own parts, in words; no step carries any of it. */
export interface Beside {
  /** What makes it an onion service, or lets it reach others: names, Tor's folders, variables. */
  onion: string[];
  /** Cron's files, systemd's timers and services that do something as the app's user or with its folder. */
  jobs: string[];
  /** What makes backups by the clock, whoever's: `pg_dump in /etc/cron.d/dump`, `borgmatic.timer`. */
  backups: string[];
  /** What listens on TCP where others reach it, besides sshd, nginx' 80 and 443, the databases and the app: a service or a process. */
  listening: { port: number; by: string }[];
}

export interface Compose {
  dir: string;
  /** Full paths, in the order in which Compose takes them. */
  files: string[];
  project: string;
  /** The command, in words: `docker compose`. */
  cli: string;
  /** How it reads .env.production: quotes, `$` and comments as Docker Compose v2 does, or every value as it stands. */
  envFormat: "compose" | "verbatim";
  /** The service with Postgres. */
  database: string;
  /** The host's own path of public/system; null: a volume that has none. */
  media: string | null;
  /** Where this host reaches web and streaming: `127.0.0.1:3000`. */
  webAddress: string;
  streamingAddresses: string[];
}

export interface Env {
  /** The file that was read: DIR/.env.production. */
  path: string;
  /** Names of all variables that are set. */
  keys: string[];
  /**
   * Values of variables that are no secrets (see survey.py's allow list: LOCAL_DOMAIN, WEB_DOMAIN, DB_HOST,
   * REDIS_HOST, S3_ENABLED …).
   */
  values: Record<string, string>;
  /** Salted hash (SETTINGS.salt) of each secret that is set and not empty. Empty when no salt was given. */
  hashes: Record<string, string>;
  /** Where the app finds its database, from DATABASE_URL or DB_*; a host that begins with / is a socket's folder. */
  database: { host: string; port: number; name: string; user: string } | null;
  /** Where its parts find Redis, by the prefix of their variables: "" (app and streaming), SIDEKIQ_, CACHE_. */
  redis: RedisUse[];
  /** Other services that lie on the host's loopback, by the variable that names them: "SMTP_SERVER is localhost". */
  nearby: string[];
  /** Files beside it that Mastodon reads too, with those of their variables that differ from host to host. */
  shadows: { file: string; names: string[] }[];
}

export interface RedisUse {
  prefix: string;
  /** Null where it is a socket, whose path then stands in `path`. */
  host: string | null;
  port: number | null;
  path: string | null;
  database: number;
  tls: boolean;
}

export interface Unit {
  name: string;
  /** Path of what it runs, files of variables that it names, and other units that it can't start without. */
  program: string;
  environmentFiles: string[];
  needs: string[];
  /** What says where it listens besides PORT and SOCKET of its `Environment=`, and what to write there in its place. */
  listening: { line: string; instead: string }[];
  /** `systemctl is-active` / `is-enabled` (masked is an enablement). */
  active: string;
  enabled: string;
  /** -q arguments of a Sidekiq unit, in order, without weights; empty: all queues. */
  queues: string[];
  /**
   * true if the file differs from Mastodon's own dist/ unit by name (mastodon-sidekiq-ingress …) — a unit
   * that the admin made.
   */
  custom: boolean;
}
