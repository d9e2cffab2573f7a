import * as activities from "../app/activities";
import { type Account, accountById, accountByName, actorUri, INSTANCE_ACTOR } from "../app/actors";
import type { Status } from "../app/render";
import { remembered } from "./cached";
import { activity, id, json, Refusal, type Request, type Response } from "./http";

const notFound = () => new Refusal(404, "Record not found");

async function local(r: Request): Promise<Account> {
  const [who = ""] = r.params;
  const found = r.path.startsWith("/ap/") ? await accountById(r.db, id(who)) : await accountByName(r.db, who);
  if (!found || found.domain !== null) throw notFound();
  if (found.suspended_at) throw new Refusal(410, "Gone");
  return found;
}

export async function actor(r: Request): Promise<Response> {
  const found = await local(r);
  const key = `accounts/show:accounts/${found.id}-${found.updated_at.getTime()}`;
  return remembered(r, key, async () => activity(activities.actor(r.config, found)));
}

export async function instanceActor(r: Request): Promise<Response> {
  const found = await accountById(r.db, INSTANCE_ACTOR);
  if (!found) throw notFound();
  return activity(activities.actor(r.config, found));
}

export async function status(r: Request): Promise<Response> {
  const author = await local(r);
  const s = await r.db.one<Status>(
    "SELECT * FROM statuses WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL AND visibility <= 1",
    [id(r.params[1]), author.id],
  );
  if (!s) throw notFound();
  const key = `statuses/show:statuses/${s.id}-${s.updated_at.getTime()}`;
  return remembered(r, key, async () => activity(await activities.note(r.config, r.db, author, s)));
}

export async function webfinger(r: Request): Promise<Response> {
  const resource = r.query.get("resource");
  if (!resource) throw new Refusal(400, "Bad Request");
  const [, name = "", domain = ""] = /^(?:acct:)?@?([^@]+)@(.+)$/.exec(resource) ?? [];
  const url = /^https:\/\/[^/]+\/(?:users\/|@)([^/]+)$/.exec(resource)?.[1];
  if (domain && !r.config.hosts.includes(domain.toLowerCase())) throw notFound();
  const self = name.toLowerCase() === r.config.localDomain;
  const found = self ? await accountById(r.db, INSTANCE_ACTOR) : await accountByName(r.db, url ?? name);
  if (!found || found.suspended_at) throw notFound();
  const href = actorUri(r.config, found);
  const profile = self
    ? `https://${r.config.webDomain}/about/more?instance_actor=true`
    : `https://${r.config.webDomain}/@${found.username}`;
  const body = {
    subject: `acct:${self ? r.config.localDomain : found.username}@${r.config.localDomain}`,
    aliases: [profile, href],
    links: [
      { rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: profile },
      { rel: "self", type: "application/activity+json", href },
    ],
  };
  const headers = { "cache-control": "max-age=259200, public" };
  return { ...json(body, 200, headers), type: "application/jrd+json; charset=utf-8" };
}
