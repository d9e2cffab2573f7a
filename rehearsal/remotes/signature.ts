import { createHash, createSign, createVerify, type KeyObject } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const day = 86_400_000;

/** Headers of a signed POST, as Mastodon signs its deliveries (draft-cavage, rsa-sha256). */
export function signed(
  path: string,
  host: string,
  body: string,
  keyId: string,
  key: KeyObject,
): Record<string, string> {
  const headers: Record<string, string> = {
    host,
    date: new Date().toUTCString(),
    digest: digestOf(body),
    "content-type": "application/activity+json",
  };
  const names = ["(request-target)", "host", "date", "digest", "content-type"];
  const text = plain(names, `post ${path}`, headers);
  const signature = createSign("sha256").update(text).sign(key, "base64");
  return {
    ...headers,
    signature: `keyId="${keyId}",algorithm="rsa-sha256",headers="${names.join(" ")}",signature="${signature}"`,
  };
}

export interface Claim {
  keyId: string;
  /** Checks the claim against the signer's public key; says what is wrong, or nothing. */
  fault(publicKeyPem: string): string | undefined;
}

/** Reads who claims to have signed a request. Throws with the reason when the request can't be right whoever it was. */
export function claimOf(method: string, path: string, headers: IncomingHttpHeaders, body: string): Claim {
  const parts = fields(String(headers["signature"] ?? ""));
  const { keyId, signature } = parts;
  if (!keyId || !signature) throw new Error("not signed");
  const names = (parts["headers"] ?? "date").split(" ");
  for (const must of ["(request-target)", "host", "date", "digest"])
    if (!names.includes(must)) throw new Error(`${must} is not signed`);
  if (headers["digest"] !== digestOf(body)) throw new Error("the digest is not the body's");
  if (!(Math.abs(Date.now() - Date.parse(String(headers["date"]))) < day / 2)) throw new Error("dated wrong");
  const text = plain(names, `${method.toLowerCase()} ${path}`, headers);
  return {
    keyId,
    fault: (pem) =>
      createVerify("sha256").update(text).verify(pem, signature, "base64")
        ? undefined
        : "the signature is wrong",
  };
}

function plain(names: string[], target: string, headers: IncomingHttpHeaders): string {
  const value = (name: string) => (name === "(request-target)" ? target : String(headers[name] ?? ""));
  return names.map((name) => `${name}: ${value(name)}`).join("\n");
}

function digestOf(body: string): string {
  return `SHA-256=${createHash("sha256").update(body).digest("base64")}`;
}

function fields(header: string): Record<string, string> {
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1] ?? "", m[2] ?? ""]));
}
