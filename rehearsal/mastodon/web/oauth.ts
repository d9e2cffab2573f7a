import { randomBytes } from "node:crypto";
import type { Row } from "../app/database";
import { json, parameters, Refusal, type Request, type Response } from "./http";

const secret = () => randomBytes(32).toString("base64url");

export async function createApp(r: Request): Promise<Response> {
  const p = parameters(r);
  const uris = p.redirect_uris;
  if (!p.client_name) throw new Refusal(422, "Validation failed: Application name can't be blank");
  if (!uris) throw new Refusal(422, "Validation failed: Redirect URI can't be blank");
  const redirect = Array.isArray(uris) ? uris.join("\n") : String(uris);
  const app = await r.db.one<Row & { id: string; uid: string; secret: string }>(
    `INSERT INTO oauth_applications (name, uid, secret, redirect_uri, scopes, website, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, now(), now()) RETURNING id, uid, secret`,
    [p.client_name, secret(), secret(), redirect, p.scopes ?? "read", p.website ?? null],
  );
  return json({
    id: app?.id,
    name: p.client_name,
    website: p.website ?? null,
    redirect_uri: redirect,
    redirect_uris: redirect.split("\n"),
    client_id: app?.uid,
    client_secret: app?.secret,
    client_secret_expires_at: 0,
    scopes: String(p.scopes ?? "read").split(" "),
  });
}

export async function token(r: Request): Promise<Response> {
  const p = parameters(r);
  if (p.grant_type !== "client_credentials") {
    const known = p.grant_type === "authorization_code";
    return json({ error: known ? "invalid_grant" : "unsupported_grant_type" }, 400);
  }
  const sql = "SELECT id, scopes FROM oauth_applications WHERE uid = $1 AND secret = $2";
  const app = await r.db.one<Row & { id: string; scopes: string }>(sql, [p.client_id, p.client_secret]);
  if (!app) return json({ error: "invalid_client" }, 401);
  const scope = String(p.scope ?? "read");
  if (!scope.split(" ").every((s) => app.scopes.split(" ").includes(s)))
    return json({ error: "invalid_scope" }, 400);
  const row = await r.db.one<Row & { token: string; created_at: Date }>(
    `INSERT INTO oauth_access_tokens (token, scopes, application_id, created_at) VALUES ($1, $2, $3, now())
     RETURNING token, created_at`,
    [secret(), scope, app.id],
  );
  const created = Math.floor((row?.created_at.getTime() ?? 0) / 1000);
  return json({ access_token: row?.token, token_type: "Bearer", scope, created_at: created });
}

/** Who an application token belongs to; also the cheapest check of one. */
export async function verifyApp(r: Request): Promise<Response> {
  if (!r.signed) throw new Refusal(401, "The access token is invalid");
  const app = await r.db.one(
    "SELECT a.name, a.website, a.scopes FROM oauth_applications a JOIN oauth_access_tokens t ON t.application_id = a.id WHERE t.id = $1",
    [r.signed.tokenId],
  );
  return json(app ?? {});
}
