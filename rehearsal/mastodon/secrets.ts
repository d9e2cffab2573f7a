import { createECDH, randomBytes } from "node:crypto";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const alphanumeric = (n: number) => Array.from(randomBytes(n), (b) => letters[b % letters.length]).join("");

export interface Secrets {
  secretKeyBase: string;
  otpSecret: string;
  primaryKey: string;
  deterministicKey: string;
  derivationSalt: string;
  vapidPrivate: string;
  vapidPublic: string;
  /** Passwords with what shells, dotenv and URLs trip over. */
  database: string;
  redis: string;
  mail: string;
}

export function makeSecrets(): Secrets {
  const vapid = createECDH("prime256v1");
  vapid.generateKeys();
  const base64 = (b: Buffer) => b.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  return {
    secretKeyBase: randomBytes(64).toString("hex"),
    otpSecret: randomBytes(64).toString("hex"),
    primaryKey: alphanumeric(32),
    deterministicKey: alphanumeric(32),
    derivationSalt: alphanumeric(32),
    vapidPrivate: base64(vapid.getPrivateKey()),
    vapidPublic: base64(vapid.getPublicKey()),
    database: `p@ss "w0rd" #1 $HOME \\n%41/${alphanumeric(8)}`,
    redis: `r#d:s@/ "${alphanumeric(12)}"$`,
    mail: `ma!l #${alphanumeric(6)} \`x\` & "y"`,
  };
}
