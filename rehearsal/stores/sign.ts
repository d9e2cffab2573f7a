/** Signs requests as S3 wants them (AWS Signature Version 4), for the store's owner. */
import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  accessKey: string;
  secretKey: string;
}

export interface Unsigned {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** The headers to send, the signature among them. */
export function signed(request: Unsigned, who: Credentials, region: string): Record<string, string> {
  const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${now.slice(0, 8)}/${region}/s3/aws4_request`;
  const payload = sha256(request.body ?? "");
  const headers: Record<string, string> = {
    ...lowerCased(request.headers ?? {}),
    host: request.url.host,
    "x-amz-content-sha256": payload,
    "x-amz-date": now,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.url.pathname.split("/").map(encoded).join("/"),
    query(request.url),
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    "",
    names.join(";"),
    payload,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", now, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((k, part) => hmac(k, part), `AWS4${who.secretKey}`);
  const signature = hmac(key, text).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${who.accessKey}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** A path part or query value as a signature spells it. */
function encoded(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function query(url: URL): string {
  const escape = (text: string) => encoded(encodeURIComponent(text));
  const pairs = [...url.searchParams].map(([k, v]) => `${escape(k)}=${escape(v)}`);
  return pairs.sort().join("&");
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
