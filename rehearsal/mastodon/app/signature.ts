import { createHash, createSign, createVerify } from "node:crypto";

export type Headers = Record<string, string | string[] | undefined>;

export const digest = (body: Buffer | string) =>
  "SHA-256=" + createHash("sha256").update(body).digest("base64");

/** The headers of a signed request; `keyId` names the public key. */
export function sign(
  o: { method: string; url: URL; body?: string; headers?: Record<string, string> },
  key: { keyId: string; privateKey: string },
): Record<string, string> {
  const headers: Record<string, string> = { host: o.url.host, date: new Date().toUTCString(), ...o.headers };
  if (o.body !== undefined) headers.digest = digest(o.body);
  const names = ["(request-target)", ...Object.keys(headers)];
  const text = signedText(names, o.method, o.url.pathname + o.url.search, headers);
  const signature = createSign("rsa-sha256").update(text).sign(key.privateKey, "base64");
  const fields = { keyId: key.keyId, algorithm: "rsa-sha256", headers: names.join(" "), signature };
  const value = Object.entries(fields).map(([name, v]) => `${name}="${v}"`);
  return { ...headers, signature: value.join(",") };
}

export class SignatureError extends Error {}

export interface Signature {
  keyId: string;
  names: string[];
  signature: string;
}

/** What a Signature header says; refuses one that leaves out what must be signed, or is too old. */
export function readSignature(method: string, headers: Headers, body: Buffer): Signature {
  const written = headers.signature;
  if (typeof written !== "string") throw new SignatureError("Request not signed");
  const fields = Object.fromEntries([...written.matchAll(/(\w+)="?([^",]*)"?/g)].map((m) => [m[1], m[2]]));
  const { keyId, signature, algorithm = "hs2019", headers: list = "date" } = fields;
  const names = list.toLowerCase().split(/\s+/);
  if (!keyId || !signature)
    throw new SignatureError("Incompatible request signature. keyId and signature are required");
  if (!["rsa-sha256", "hs2019"].includes(algorithm))
    throw new SignatureError("Unsupported signature algorithm (only rsa-sha256 and hs2019 are supported)");
  require(names.includes("(request-target)"), "(request-target)");
  require(names.includes("date") || names.includes("(created)"), "Date");
  require(method !== "GET" || names.includes("host"), "Host");
  require(method !== "POST" || names.includes("digest"), "Digest");
  checkDate(headers);
  if (method === "POST") checkDigest(headers, body);
  return { keyId, names, signature };
}

export function verify(
  s: Signature,
  method: string,
  target: string,
  headers: Headers,
  publicKey: string,
): boolean {
  try {
    const text = signedText(s.names, method, target, headers);
    return createVerify("rsa-sha256").update(text).verify(publicKey, s.signature, "base64");
  } catch {
    return false; // no key, or none that can be read
  }
}

function require(condition: boolean, name: string): void {
  if (!condition) throw new SignatureError(`Mastodon requires the ${name} header to be signed`);
}

/** A signature holds for twelve hours; clocks may be an hour ahead. */
function checkDate(headers: Headers): void {
  const date = Date.parse(String(headers.date ?? ""));
  const age = Date.now() - date;
  if (Number.isNaN(date) || age > 12 * 3600_000 + 3600_000 || age < -3600_000)
    throw new SignatureError("Signed request date outside acceptable time window");
}

function checkDigest(headers: Headers, body: Buffer): void {
  const sha256 = String(headers.digest ?? "")
    .split(",")
    .find((d) => /^sha-256=/i.test(d));
  if (!sha256) throw new SignatureError("Mastodon only supports SHA-256 in Digest header");
  if (sha256.slice(8) !== digest(body).slice(8)) throw new SignatureError("Invalid Digest value");
}

function signedText(names: string[], method: string, target: string, headers: Headers): string {
  return names
    .map((n) => `${n}: ${n === "(request-target)" ? `${method.toLowerCase()} ${target}` : headers[n]}`)
    .join("\n");
}
