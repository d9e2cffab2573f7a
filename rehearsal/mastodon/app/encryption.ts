import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import type { Env } from "./config";

/**
 * ActiveRecord::Encryption as Rails writes it: AES-256-GCM, the key derived from the primary key and the salt, the value a
 * JSON text with payload, nonce and tag. Whoever changes the keys can't read what is stored.
 */
export class Encryption {
  private readonly secret: Buffer;

  constructor(env: Env) {
    const primary = env.ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY ?? "";
    const salt = env.ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT ?? "";
    this.secret = pbkdf2Sync(primary, salt, 65536, 32, "sha256");
  }

  encrypt(text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.secret, iv);
    const payload = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    const h = { iv: iv.toString("base64"), at: cipher.getAuthTag().toString("base64") };
    return JSON.stringify({ p: payload.toString("base64"), h });
  }

  decrypt(stored: string): string {
    const { p, h } = JSON.parse(stored) as { p: string; h: { iv: string; at: string } };
    const cipher = createDecipheriv("aes-256-gcm", this.secret, Buffer.from(h.iv, "base64"));
    cipher.setAuthTag(Buffer.from(h.at, "base64"));
    return Buffer.concat([cipher.update(Buffer.from(p, "base64")), cipher.final()]).toString("utf8");
  }
}
