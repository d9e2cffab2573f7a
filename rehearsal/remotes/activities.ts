import { randomUUID } from "node:crypto";
import type { Actor } from "./actor";

const context = "https://www.w3.org/ns/activitystreams";
const everyone = `${context}#Public`;

export interface Activity {
  "@context": string;
  id: string;
  type: string;
  actor: string;
  object: string | { id: string; [key: string]: unknown };
  [key: string]: unknown;
}

/** A public note that mentions a local user, without which an instance that does not know the author would drop it. */
export function note(a: Actor, domain: string, mentioned: string): Activity {
  const id = `${a.uri}/statuses/${randomUUID()}`;
  const local = `https://${domain}/users/${mentioned}`;
  const published = new Date().toISOString();
  const to = { to: [everyone], cc: [`${a.uri}/followers`, local] };
  const object = {
    id,
    type: "Note",
    published,
    attributedTo: a.uri,
    ...to,
    url: id,
    content: `<p>@${mentioned} ${a.username} says ${id}</p>`,
    tag: [{ type: "Mention", href: local, name: `@${mentioned}@${domain}` }],
  };
  return {
    "@context": context,
    id: `${id}/activity`,
    type: "Create",
    actor: a.uri,
    published,
    ...to,
    object,
  };
}

export function follow(a: Actor, domain: string, username: string): Activity {
  return simple(a, "Follow", `https://${domain}/users/${username}`);
}

export function like(a: Actor, statusUri: string): Activity {
  return simple(a, "Like", statusUri);
}

export function accept(a: Actor, asked: Activity): Activity {
  return simple(a, "Accept", asked);
}

export function objectOf(activity: Activity): string {
  return typeof activity.object === "string" ? activity.object : activity.object.id;
}

function simple(a: Actor, type: string, object: Activity["object"]): Activity {
  return {
    "@context": context,
    id: `${a.uri}#${type.toLowerCase()}/${randomUUID()}`,
    type,
    actor: a.uri,
    object,
  };
}
