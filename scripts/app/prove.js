// prove.js ROWS: opens each encrypted value in the file ROWS with the variables that come in on stdin as JSON.
// Prints what was proven as one JSON object, or, with status 1, what did not fit. Values are never printed.
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const zlib = require("node:zlib");

const env = JSON.parse(fs.readFileSync(0, "utf8"));
const rows = fs.readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean);
const prefix = "ACTIVE_RECORD_ENCRYPTION_";

/** Rails derives the key by PBKDF2; which digest it takes depends on the release's defaults. */
function keys() {
  const primary = env[`${prefix}PRIMARY_KEY`] ?? "";
  const salt = env[`${prefix}KEY_DERIVATION_SALT`] ?? "";
  return ["sha256", "sha1"].map((digest) => crypto.pbkdf2Sync(primary, salt, 2 ** 16, 32, digest));
}

/** A value of Active Record Encryption: {p: text, h: {iv, at: tag, c: compressed}}, AES-256-GCM. */
function open(value, key) {
  const { p, h } = JSON.parse(value);
  const bytes = (text) => Buffer.from(text, "base64");
  const cipher = crypto.createDecipheriv("aes-256-gcm", key, bytes(h.iv), { authTagLength: 16 });
  cipher.setAuthTag(bytes(h.at));
  const plain = Buffer.concat([cipher.update(bytes(p)), cipher.final()]);
  return h.c ? zlib.inflateSync(plain) : plain;
}

function opens(value, candidates) {
  return candidates.some((key) => {
    try {
      open(value, key);
      return true;
    } catch {
      return false;
    }
  });
}

/** The public key for push messages is the point of the private one on P-256. */
function pushKeysFit() {
  if (!env.VAPID_PRIVATE_KEY || !env.VAPID_PUBLIC_KEY) return null;
  const ecdh = crypto.createECDH("prime256v1");
  try {
    ecdh.setPrivateKey(Buffer.from(env.VAPID_PRIVATE_KEY, "base64url"));
  } catch {
    return false;
  }
  return ecdh.getPublicKey().equals(Buffer.from(env.VAPID_PUBLIC_KEY, "base64url"));
}

const proven = { rows: 0, columns: [], pushKeys: pushKeysFit() };
const candidates = rows.length ? keys() : [];
for (const { column, value } of rows.map((row) => JSON.parse(row))) {
  if (!opens(value, candidates)) {
    console.log(`an encrypted value in ${column} does not open with the ${prefix}* keys`);
    process.exit(1);
  }
  proven.rows++;
  if (!proven.columns.includes(column)) proven.columns.push(column);
}
console.log(JSON.stringify(proven));
