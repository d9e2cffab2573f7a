import { generateKeyPairSync, randomBytes } from "node:crypto";
import { accountByName } from "../app/actors";
import type { Row } from "../app/database";
import type { Instance } from "../app/instance";
import { enqueue } from "../app/jobs";
import type { Parsed } from "./options";
import { fail, say } from "./say";

export async function create(i: Instance, p: Parsed): Promise<void> {
  const [name = ""] = p.args;
  const email = p.flags.email;
  if (typeof email !== "string") fail("No value provided for required options '--email'");
  if (!/^\w{1,30}$/.test(name))
    fail("Failure/Error: Username must contain only letters, numbers and underscores");
  const taken = "SELECT 1 FROM accounts a WHERE lower(username) = lower($1) AND domain IS NULL";
  if (await i.db.one(taken, [name])) fail("Failure/Error: Username has already been taken");
  const pem = { type: "pkcs1", format: "pem" } as const;
  const keys = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: pem,
  });
  await i.db.transaction(async (db) => {
    const account = await db.one<Row & { id: string }>(
      `INSERT INTO accounts (username, private_key, public_key, id_scheme, created_at, updated_at)
       VALUES ($1, $2, $3, 1, now(), now()) RETURNING id`,
      [name, keys.privateKey, keys.publicKey],
    );
    await db.rows(
      `INSERT INTO users (email, account_id, encrypted_password, confirmed_at, approved, created_at, updated_at)
       VALUES ($1, $2, $3, $4, true, now(), now())`,
      [
        email,
        account?.id,
        `$2a$10$${randomBytes(40).toString("hex").slice(0, 53)}`,
        p.flags.confirmed ? new Date() : null,
      ],
    );
  });
  say("OK");
  say(`New password: ${randomBytes(16).toString("hex")}`);
}

/** Asks for an archive as its owner would; Sidekiq makes it. */
export async function backup(i: Instance, p: Parsed): Promise<void> {
  const account = await accountByName(i.db, p.args[0] ?? "");
  if (!account) fail("No user with such username");
  const row = await i.db.one<Row & { id: string }>(
    `INSERT INTO backups (user_id, created_at, updated_at)
     SELECT id, now(), now() FROM users WHERE account_id = $1 RETURNING id`,
    [account.id],
  );
  await enqueue(i.sidekiq, "BackupWorker", row?.id);
  say("OK");
}
