import * as accounts from "./accounts";
import { act, unsuspend } from "./admin";
import * as activitypub from "./activitypub";
import { type Request, type Response, text } from "./http";
import { receive } from "./inbox";
import * as instance from "./instance";
import * as media from "./media";
import * as oauth from "./oauth";
import * as profile from "./profile";
import * as statuses from "./statuses";
import * as timelines from "./timelines";

export type Handler = (r: Request) => Promise<Response>;

const health: Handler = async () => text("OK");

/** `:` stands for one segment of the path; what stood there becomes a parameter, in order. */
const table: [method: string, path: string, handler: Handler][] = [
  ["GET", "/health", health],
  ["GET", "/api/v1/instance", instance.v1],
  ["GET", "/api/v2/instance", instance.v2],
  ["GET", "/api/v1/instance/peers", instance.peers],
  ["GET", "/api/v1/instance/rules", instance.rules],
  ["GET", "/api/v1/custom_emojis", instance.emojis],
  ["GET", "/nodeinfo/2.0", instance.nodeinfo],
  ["GET", "/.well-known/nodeinfo", instance.nodeinfoLinks],
  ["GET", "/.well-known/host-meta", instance.hostMeta],
  ["GET", "/.well-known/webfinger", activitypub.webfinger],
  ["GET", "/actor", activitypub.instanceActor],
  ["POST", "/actor/inbox", receive],
  ["POST", "/inbox", receive],
  ["GET", "/users/:", activitypub.actor],
  ["POST", "/users/:/inbox", receive],
  ["GET", "/users/:/statuses/:", activitypub.status],
  ["GET", "/ap/users/:", activitypub.actor],
  ["GET", "/ap/users/:/statuses/:", activitypub.status],
  ["POST", "/api/v1/apps", oauth.createApp],
  ["GET", "/api/v1/apps/verify_credentials", oauth.verifyApp],
  ["POST", "/oauth/token", oauth.token],
  ["GET", "/api/v1/accounts/verify_credentials", accounts.verify],
  ["PATCH", "/api/v1/accounts/update_credentials", profile.update],
  ["GET", "/api/v1/accounts/lookup", accounts.lookup],
  ["POST", "/api/v1/admin/accounts/:/action", act],
  ["POST", "/api/v1/admin/accounts/:/unsuspend", unsuspend],
  ["GET", "/api/v1/accounts/:", accounts.get],
  ["GET", "/api/v1/accounts/:/statuses", accounts.statuses],
  ["POST", "/api/v1/accounts/:/follow", accounts.follow],
  ["POST", "/api/v1/accounts/:/unfollow", accounts.unfollow],
  ["POST", "/api/v1/statuses", statuses.create],
  ["GET", "/api/v1/statuses/:", statuses.get],
  ["DELETE", "/api/v1/statuses/:", statuses.remove],
  ["POST", "/api/v1/statuses/:/favourite", statuses.favourite],
  ["POST", "/api/v2/media", media.create],
  ["GET", "/api/v1/media/:", media.get],
  ["GET", "/media_proxy/:/:", media.proxy],
  ["GET", "/api/v1/timelines/home", timelines.home],
  ["GET", "/api/v1/timelines/public", timelines.everyone],
  ["GET", "/api/v1/notifications", timelines.notifications],
  ["GET", "/", instance.page],
  ["GET", "/about", instance.page],
  ["GET", "/explore", instance.page],
];

const routes = table.map(([method, path, handler]) => ({
  method,
  handler,
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(":", "([^/]+)")}/?$`),
}));

/** The handler for a request and the path's parameters; undefined is a 404, whatever the method. */
export function route(method: string, path: string): { handler: Handler; params: string[] } | undefined {
  const verb = method === "HEAD" ? "GET" : method;
  for (const { method: m, pattern, handler } of routes) {
    const match = m === verb ? pattern.exec(path) : undefined;
    if (match) return { handler, params: match.slice(1).map(decodeURIComponent) };
  }
  if (verb === "GET" && /^\/@[^/]+(\/\d+)?$/.test(path)) return { handler: instance.page, params: [] };
  return undefined;
}
