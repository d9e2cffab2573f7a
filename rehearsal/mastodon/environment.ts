import type { Secrets } from "./secrets";
import type { Variant } from "./variant";

/**
 * Seconds that a store may take to answer. Mastodon's own 5 would tell of two cores that carry everything here, both servers, the
 * store and the people, and not of the move.
 */
const patience = "S3_OPEN_TIMEOUT=20\nS3_READ_TIMEOUT=20";

const single = (value: string) => `'${value}'`;

/** The text of `.env.production`: sections, comments and quotes as an admin's file has them after some years. */
export function environmentFile(domain: string, s: Secrets, v: Variant): string {
  return `# This is the configuration of ${domain}. Never lose it.
# Federation
LOCAL_DOMAIN=${domain}
${v.webDomain ? `WEB_DOMAIN=${v.webDomain}\n` : ""}SINGLE_USER_MODE=false
ALLOWED_PRIVATE_ADDRESSES=198.18.0.0/15

# Redis
${redis(s, v)}

# PostgreSQL
${database(s, v)}

# Secrets. OTP_SECRET has not been read since 4.4.
SECRET_KEY_BASE=${s.secretKeyBase}
OTP_SECRET=${s.otpSecret}
export ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=${s.deterministicKey}
ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT="${s.derivationSalt}"
ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=${single(s.primaryKey)}

# Web Push
VAPID_PRIVATE_KEY=${s.vapidPrivate}
VAPID_PUBLIC_KEY=${s.vapidPublic}

# Sending mail
SMTP_SERVER=smtp.mail.example
SMTP_PORT=587
SMTP_LOGIN=mastodon@${domain}
SMTP_PASSWORD=${single(s.mail)}
SMTP_FROM_ADDRESS='Mastodon <notifications@${domain}>'

# File storage: on disk
S3_ENABLED=false
${patience}
WEB_CONCURRENCY=2 # workers
MAX_THREADS=5

IP_RETENTION_PERIOD=31556952
SESSION_RETENTION_PERIOD=31556952
${v.media?.as === "variable" ? `PAPERCLIP_ROOT_PATH=${v.media.dir}\nPAPERCLIP_ROOT_URL=/system\n` : ""}${Object.entries(
    v.environment ?? {},
  )
    .map(([name, value]) => `${name}=${single(value)}\n`)
    .join("")}`;
}

function database(s: Secrets, v: Variant): string {
  const port = v.pgbouncer ? 6432 : (v.cluster?.port ?? 5432);
  const url = `postgresql://mastodon:${encodeURIComponent(s.database)}@127.0.0.1:${port}/mastodon_production`;
  if (v.database === "url") return `DATABASE_URL="${url}"`;
  const where = v.database === "tcp" ? "127.0.0.1" : "/var/run/postgresql";
  const password = v.database === "tcp" ? single(s.database) : "";
  const prepared = v.pgbouncer ? "\nPREPARED_STATEMENTS=false" : "";
  return `DB_HOST=${where}\nDB_USER=mastodon\nDB_NAME=mastodon_production\nDB_PASS=${password}\nDB_PORT=${port}${prepared}`;
}

function redis(s: Secrets, v: Variant): string {
  const where = "REDIS_HOST=127.0.0.1\nREDIS_PORT=6379";
  switch (v.redis) {
    case "url":
      return `REDIS_URL=redis://:${encodeURIComponent(s.redis)}@127.0.0.1:6379/0`;
    case "socket":
      return "REDIS_URL=unix:///run/redis/redis-server.sock?db=0";
    case "acl":
      return `${where}\nREDIS_USER=mastodon\nREDIS_PASSWORD=${single(s.redis)}`;
    case "password":
      return `${where}\nREDIS_PASSWORD=${single(s.redis)}`;
    default:
      return where;
  }
}

/**
 * The same for Compose, without any quotes: which of them Compose takes for its own and which for a part of the value differs
 * from version to version.
 */
export function composeEnvironment(domain: string, s: Secrets, v: Variant): string {
  if (v.database || v.redis)
    throw new Error("a Compose install has its own database and Redis, without passwords");
  return `LOCAL_DOMAIN=${domain}
SINGLE_USER_MODE=false
ALLOWED_PRIVATE_ADDRESSES=198.18.0.0/15
SECRET_KEY_BASE=${s.secretKeyBase}
OTP_SECRET=${s.otpSecret}
ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=${s.deterministicKey}
ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=${s.derivationSalt}
ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=${s.primaryKey}
VAPID_PRIVATE_KEY=${s.vapidPrivate}
VAPID_PUBLIC_KEY=${s.vapidPublic}
# From mastodon:setup
DB_HOST=db
DB_PORT=5432
DB_NAME=postgres
DB_USER=postgres
DB_PASS=
REDIS_HOST=redis
REDIS_PORT=6379
REDIS_PASSWORD=
SMTP_SERVER=smtp.mail.example
SMTP_PORT=587
SMTP_LOGIN=mastodon@${domain}
SMTP_PASSWORD=${s.secretKeyBase.slice(0, 16)}!#&
SMTP_FROM_ADDRESS=Mastodon <notifications@${domain}>
${patience}
${Object.entries(v.environment ?? {})
  .map(([name, value]) => `${name}=${value}\n`)
  .join("")}`;
}
