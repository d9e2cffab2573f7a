import type { IncomingMessage } from "node:http";
import type { Instance } from "../app/instance";

/** Who a token belongs to. Ids are strings throughout: they exceed what a number holds. */
export interface Signed {
  tokenId: string;
  userId: string | null;
  accountId: string | null;
  username: string | null;
}

export interface Request extends Instance {
  method: string;
  path: string;
  target: string;
  query: URLSearchParams;
  /** Parameters of the path. */
  params: string[];
  headers: IncomingMessage["headers"];
  body: Buffer;
  ip: string;
  signed?: Signed;
}

export interface Response {
  status: number;
  body: string | Buffer;
  type: string;
  headers?: Record<string, string>;
}

/** An answer other than success, from anywhere inside a request. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const json = (body: unknown, status = 200, headers?: Record<string, string>): Response => ({
  status,
  body: JSON.stringify(body),
  type: "application/json; charset=utf-8",
  headers,
});

export const text = (body: string, status = 200, type = "text/plain; charset=utf-8"): Response => ({
  status,
  body,
  type,
});

export const activity = (body: object): Response => ({
  status: 200,
  body: JSON.stringify({
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
    ...body,
  }),
  type: "application/activity+json; charset=utf-8",
  headers: { "cache-control": "max-age=180, public", vary: "Accept, Signature" },
});

export type Account_ = Required<{ [k in keyof Signed]: NonNullable<Signed[k]> }>;

/** The signed-in user, or 401. */
export function user(r: Request): Account_ {
  const s = r.signed;
  if (!s) throw new Refusal(401, "The access token is invalid");
  if (!s.userId || !s.accountId || !s.username)
    throw new Refusal(422, "This method requires an authenticated user");
  return s as Account_;
}

/** The parameters of a form or a JSON body. */
export function parameters(r: Request): Record<string, unknown> {
  const type = r.headers["content-type"] ?? "";
  if (type.startsWith("application/json")) return parseObject(r.body);
  if (!type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(r.query);
  const fields: Record<string, unknown> = Object.fromEntries(r.query);
  for (const [name, value] of new URLSearchParams(r.body.toString("utf8"))) {
    const list = name.endsWith("[]") ? name.slice(0, -2) : undefined;
    if (list) fields[list] = [...((fields[list] as string[] | undefined) ?? []), value];
    else fields[name] = value;
  }
  return fields;
}

export function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = body.length ? JSON.parse(body.toString("utf8")) : {};
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new Refusal(400, "There was an error parsing the JSON body");
}

/** One file, the name of its field, and the other fields of a multipart body. */
export function multipart(r: Request): {
  file?: { bytes: Buffer; type: string };
  field?: string;
  fields: Record<string, string>;
} {
  const boundary = /boundary="?([^";]+)"?/.exec(r.headers["content-type"] ?? "")?.[1];
  if (!boundary) throw new Refusal(422, "Validation failed: File can't be blank");
  const fields: Record<string, string> = {};
  let file: { bytes: Buffer; type: string } | undefined;
  let field: string | undefined;
  const mark = Buffer.from(`--${boundary}`);
  for (let at = r.body.indexOf(mark); at >= 0;) {
    const next = r.body.indexOf(mark, at + mark.length);
    const part = r.body.subarray(at + mark.length + 2, next < 0 ? undefined : next - 2);
    const gap = part.indexOf("\r\n\r\n");
    const head = part.toString("latin1", 0, Math.max(0, gap));
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? "";
    const bytes = part.subarray(gap + 4);
    if (/filename="/.test(head)) {
      file = { bytes, type: /content-type: *(\S+)/i.exec(head)?.[1] ?? "" };
      field = name;
    } else if (gap >= 0) fields[name] = bytes.toString("utf8");
    at = next;
  }
  return { file, field, fields };
}

/** `limit` of a list, at most twice the default as in the real API. */
export const limit = (r: Request, standard = 20) =>
  Math.min(Math.max(Number(r.query.get("limit")) || standard, 1), standard * 2);

/** An id from a path or a query; anything else names nothing. */
export function id(value: unknown): string {
  if (/^-?\d{1,19}$/.test(String(value))) return String(value);
  throw new Refusal(404, "Record not found");
}
