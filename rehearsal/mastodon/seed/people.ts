import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Config } from "../app/config";
import type { Row, Session } from "../app/database";
import { Encryption } from "../app/encryption";
import type { Amounts } from "./sizes";

export interface Local {
  id: string;
  username: string;
  token?: string;
}

const scopes = "read write follow push";

async function keyPair(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
}

/** The instance actor, roles, and the web app, as `db:seed` leaves them. */
export async function foundations(config: Config, db: Session): Promise<void> {
  const { publicKey, privateKey } = await keyPair();
  await db.rows(
    `INSERT INTO accounts (id, username, actor_type, locked, private_key, public_key, id_scheme, created_at, updated_at)
     VALUES (-99, 'mastodon.internal', 'Application', true, $1, $2, 0, now(), now())`,
    [privateKey, publicKey],
  );
  await db.rows(
    `INSERT INTO user_roles (id, name, position, permissions, created_at, updated_at) VALUES (-99, '', -1, 65536, now(), now()),
       (1, 'Moderator', 10, 1308, now(), now()), (2, 'Admin', 100, 983036, now(), now()), (3, 'Owner', 1000, 1, now(), now())`,
  );
  await db.rows("SELECT setval('user_roles_id_seq', 3)");
  await db.rows(
    `INSERT INTO oauth_applications (name, uid, secret, redirect_uri, scopes, superapp, website, created_at, updated_at)
     VALUES ('Web', $1, $2, 'urn:ietf:wg:oauth:2.0:oob', $3, true, $4, now(), now())`,
    [secret(), secret(), scopes, `https://${config.webDomain}`],
  );
}

const secret = () => randomBytes(32).toString("base64url");

/** Local people: users sign in and have a token, the rest are only there to be followed. Every eighth has two factors. */
export async function locals(config: Config, db: Session, a: Amounts): Promise<Local[]> {
  const encryption = new Encryption(config.env);
  const names = [
    "owner",
    ...Array.from({ length: a.users }, (_, n) => `user${String(n + 1).padStart(2, "0")}`),
    ...Array.from({ length: a.followable }, (_, n) => `guest${String(n + 1).padStart(3, "0")}`),
  ];
  const keys = await Promise.all(names.map(keyPair));
  const made: Local[] = [];
  for (const [n, username] of names.entries()) {
    const key = keys[n];
    if (!key) continue;
    const account = await insertAccount(db, username, n, key);
    const token = n <= a.users ? secret() : undefined;
    await insertUser(db, {
      account,
      username,
      token,
      n,
      otp: n % 8 === 1 ? encryption.encrypt(otpSecret()) : null,
    });
    made.push({ id: account, username, token });
  }
  return made;
}

const otpSecret = () => randomBytes(20).toString("hex").toUpperCase();

async function insertAccount(
  db: Session,
  username: string,
  n: number,
  key: { publicKey: string; privateKey: string },
): Promise<string> {
  // Accounts from before 4.5 keep their address by name; the newest few have one by number.
  const scheme = username.startsWith("guest") && n % 5 === 0 ? 1 : 0;
  const row = await db.one<Row & { id: string }>(
    `INSERT INTO accounts (username, display_name, note, private_key, public_key, discoverable, id_scheme, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, true, $6, now() - make_interval(days => $7), now()) RETURNING id`,
    [
      username,
      `${username} Ünïcode ${n}`,
      `<p>${username} is here</p>`,
      key.privateKey,
      key.publicKey,
      scheme,
      400 - (n % 300),
    ],
  );
  return row?.id ?? "";
}

async function insertUser(
  db: Session,
  o: { account: string; username: string; token?: string; n: number; otp: string | null },
): Promise<void> {
  const row = await db.one<Row & { id: string }>(
    `INSERT INTO users (email, account_id, encrypted_password, confirmed_at, current_sign_in_at, sign_in_count, locale, role_id,
       otp_required_for_login, otp_secret, otp_backup_codes, settings, created_at, updated_at)
     VALUES ($1, $2, $3, now(), $4, 3, 'en', $5, $6, $7, $8, '{"web.theme":"default"}', now(), now()) RETURNING id`,
    [
      `${o.username}@mail.example`,
      o.account,
      `$2a$10$${randomBytes(40).toString("base64url").replace(/[-_]/g, ".").slice(0, 53)}`,
      o.token ? new Date() : null,
      o.username === "owner" ? 3 : null,
      o.otp !== null,
      o.otp,
      o.otp === null ? null : ["a", "b"].map(() => `$2a$10$${randomBytes(40).toString("hex").slice(0, 53)}`),
    ],
  );
  if (!o.token) return;
  const token = await db.one<Row & { id: string }>(
    `INSERT INTO oauth_access_tokens (token, scopes, application_id, resource_owner_id, created_at)
     VALUES ($1, $2, (SELECT id FROM oauth_applications WHERE superapp), $3, now()) RETURNING id`,
    [o.token, scopes, row?.id],
  );
  await db.rows(
    `INSERT INTO session_activations (session_id, user_agent, ip, access_token_id, user_id, created_at, updated_at)
     VALUES ($1, 'Mozilla/5.0', '192.0.2.1', $2, $3, now(), now())`,
    [randomBytes(16).toString("hex"), token?.id, row?.id],
  );
}

/** People of other servers, whom nobody can reach: they write nothing new and are asked nothing. */
export async function remotes(db: Session, a: Amounts): Promise<void> {
  const { publicKey } = await keyPair();
  await db.rows(
    `INSERT INTO accounts (id, username, domain, public_key, display_name, note, uri, url, inbox_url, outbox_url,
       shared_inbox_url, followers_url, protocol, actor_type, discoverable, last_webfingered_at, created_at, updated_at)
     SELECT ((extract(epoch FROM now() - interval '200 days') * 1000)::bigint + n << 16) | (n & 65535), name, domain, $3,
       'Ångström ' || n, repeat('about me ', 6), base || '/users/' || name, base || '/@' || name, '', '', '', '', 1, 'Person',
       n % 3 = 0, now(), now() - interval '200 days', now() - make_interval(days => n % 60)
     FROM (SELECT n, (ARRAY['zoe', 'Éva', 'ann-marie', 'ann_marie', 'ÅSA', 'bob'])[1 + n % 6] || n AS name,
         'https://' || (ARRAY['m', 'xn--e1a', 'social-', 'a.b'])[1 + (n % $2) % 4] || (n % $2) || '.fedi.example' AS base
       FROM generate_series(1, $1::int) n) x, LATERAL (SELECT substr(base, 9) AS domain) d`,
    [a.remoteAccounts, a.domains, publicKey],
  );
}

/** Who follows whom: locals a third of one another and some from afar; and the counts. */
export async function follows(db: Session): Promise<void> {
  await db.rows(
    `INSERT INTO follows (account_id, target_account_id, uri, created_at, updated_at)
     SELECT a.id, t.id, NULL, now() - interval '90 days', now() FROM accounts a JOIN accounts t ON t.id <> a.id AND t.id > 0
     WHERE a.domain IS NULL AND a.id > 0 AND a.username NOT LIKE 'guest%' AND (
       (t.domain IS NULL AND t.username NOT LIKE 'guest%' AND hashint8(a.id # t.id) % 3 = 0)
       OR (t.domain IS NOT NULL AND abs(hashint8(a.id + t.id)::bigint) % (SELECT greatest(10, count(*) / 20) FROM accounts) = 0))`,
  );
  await db.rows(
    `INSERT INTO account_stats (account_id, following_count, followers_count, created_at, updated_at)
     SELECT id, (SELECT count(*) FROM follows WHERE account_id = a.id),
       (SELECT count(*) FROM follows WHERE target_account_id = a.id), now(), now() FROM accounts a WHERE domain IS NULL`,
  );
}
