import type { IncomingMessage } from "node:http";
import type { BlockList } from "node:net";
import { isIP } from "node:net";
import type { Config } from "../app/config";
import { failsafe, type Instance } from "../app/instance";
import { blockList } from "../app/outgoing";
import type { Row } from "../app/database";
import { Refusal, type Response, type Signed, text } from "./http";

/** What stands before every route: allowed hosts, HTTPS, and how often one may ask. */
export class Gate {
  private readonly proxies: BlockList;

  constructor(private readonly config: Config) {
    const trusted = config.env.TRUSTED_PROXY_IP;
    // Setting the variable replaces the private ranges that are trusted without it.
    this.proxies = blockList(trusted ? trusted.split(/[\s,]+/).filter(Boolean) : privateRanges);
  }

  /** An answer for those who may not pass; /health is free to all. */
  refuse(r: IncomingMessage): Response | undefined {
    const path = (r.url ?? "/").split("?")[0] ?? "/";
    if (path === "/health") return undefined;
    const host = (r.headers.host ?? "").toLowerCase();
    if (!this.config.hosts.includes(host.replace(/:\d+$/, "")) && !this.config.hosts.includes(host))
      return text(`Blocked hosts: ${host}\n`, 403);
    const scheme = String(r.headers["x-forwarded-proto"] ?? "http").split(",")[0];
    if (scheme?.trim() === "https") return undefined;
    const status = r.method === "GET" || r.method === "HEAD" ? 301 : 307;
    return { ...text("", status), headers: { location: `https://${host}${r.url}` } };
  }

  /** The client's address: the last one in the chain that is not one of our proxies. */
  clientIp(r: IncomingMessage): string {
    const peer = (r.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
    const forwarded = String(r.headers["x-forwarded-for"] ?? "")
      .split(/[\s,]+/)
      .filter((a) => isIP(a));
    const chain = [...forwarded, peer].reverse();
    return chain.find((a) => !this.trusts(a)) ?? chain.at(-1) ?? peer;
  }

  private trusts(address: string): boolean {
    return this.proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

const privateRanges = ["127.0.0.0/8", "::1", "fc00::/7", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
const PERIOD = 300;

/** Counts a request to the API as Rack::Attack does: for the user, or else for the address; in periods of five minutes. */
export async function throttle(i: Instance, path: string, ip: string, signed?: Signed): Promise<void> {
  if (!path.startsWith("/api/")) return;
  const [name, max, who] = signed?.userId
    ? ["throttle_authenticated_api", 1500, signed.userId]
    : ["throttle_unauthenticated_api", 300, ip];
  const now = Date.now() / 1000;
  const key = `cache:rack::attack:${Math.floor(now / PERIOD)}:${name}:${who}`;
  const counting = [
    ["INCR", key],
    ["EXPIRE", key, PERIOD + 1],
  ];
  const [count = 0] = (await failsafe(() => i.cache.pipeline(counting))) ?? [];
  const reset = new Date((Math.floor(now / PERIOD) + 1) * PERIOD * 1000).toISOString();
  const limits = {
    "x-ratelimit-limit": String(max),
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": reset,
  };
  if (Number(count) > Number(max)) throw new Refusal(429, "Too many requests", limits);
}

interface TokenRow extends Row {
  token_id: string;
  user_id: string | null;
  account_id: string | null;
  username: string | null;
  stale: boolean;
}

/** Who sends the request, by its bearer token. */
export async function authenticate(i: Instance, r: IncomingMessage, ip: string): Promise<Signed | undefined> {
  const token = /^Bearer +(\S+)$/i.exec(r.headers.authorization ?? "")?.[1];
  if (!token) return undefined;
  const row = await i.db.one<TokenRow>(
    `SELECT t.id AS token_id, u.id AS user_id, a.id AS account_id, a.username,
       coalesce(t.last_used_at < now() - interval '1 day', true) AS stale
     FROM oauth_access_tokens t LEFT JOIN users u ON u.id = t.resource_owner_id LEFT JOIN accounts a ON a.id = u.account_id
     WHERE t.token = $1 AND t.revoked_at IS NULL AND NOT coalesce(u.disabled, false) AND a.suspended_at IS NULL`,
    [token],
  );
  if (!row) throw new Refusal(401, "The access token is invalid");
  if (row.stale)
    await i.db.rows("UPDATE oauth_access_tokens SET last_used_at = now(), last_used_ip = $2 WHERE id = $1", [
      row.token_id,
      ip,
    ]);
  if (row.user_id) await countLogin(i, row.user_id);
  return { tokenId: row.token_id, userId: row.user_id, accountId: row.account_id, username: row.username };
}

const counted = new Set<string>();

/** Active users are known only to these HyperLogLogs; once a day for each user and process is enough. */
async function countLogin(i: Instance, userId: string): Promise<void> {
  const day = Math.floor(Date.now() / 86_400_000) * 86_400;
  if (counted.has(`${day}:${userId}`)) return;
  const key = `activity:logins:${day}`;
  await i.redis.pipeline([
    ["PFADD", key, userId],
    ["EXPIRE", key, 180 * 86_400],
  ]);
  counted.add(`${day}:${userId}`);
}
