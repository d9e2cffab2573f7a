import type { Config } from "./config";
import { type Account, actorUri } from "./actors";
import type { Session } from "./database";
import type { Status } from "./render";
import { escape, faceUrl, renderStatuses } from "./render";

const context = "https://www.w3.org/ns/activitystreams";
export const PUBLIC = `${context}#Public`;

interface Shown {
  media_attachments: { url: string | null; type: string; description: string | null }[];
  mentions: { acct: string; url: string }[];
}

/** A status as a Note. */
export async function note(
  config: Config,
  db: Session,
  author: Account,
  s: Status,
): Promise<Record<string, unknown>> {
  const actor = actorUri(config, author);
  const [shown] = (await renderStatuses(config, db, [s])) as unknown as Shown[];
  const followers = `${actor}/followers`;
  const hrefs = shown?.mentions.map((m) => ({ type: "Mention", href: m.url, name: `@${m.acct}` })) ?? [];
  const named = hrefs.map((h) => h.href);
  const [to, cc] =
    s.visibility === 0
      ? [[PUBLIC], [followers, ...named]]
      : s.visibility === 1
        ? [[followers], [PUBLIC, ...named]]
        : s.visibility === 2
          ? [[followers], named]
          : [named, []];
  return {
    id: s.uri,
    type: "Note",
    published: s.created_at.toISOString(),
    attributedTo: actor,
    url: s.url,
    inReplyTo: null,
    to,
    cc,
    sensitive: s.sensitive,
    content: `<p>${escape(s.text)}</p>`,
    attachment:
      shown?.media_attachments.map((m) => ({ type: "Document", url: m.url, name: m.description })) ?? [],
    tag: hrefs,
  };
}

export async function create(config: Config, db: Session, author: Account, s: Status): Promise<object> {
  const object = await note(config, db, author, s);
  const { published, to, cc } = object;
  const actor = actorUri(config, author);
  return { "@context": context, id: `${s.uri}/activity`, type: "Create", actor, published, to, cc, object };
}

/** An activity about one thing: Follow, Accept, Undo, Delete. */
export function about(type: string, actor: string, id: string, object: unknown): object {
  return { "@context": context, id, type, actor, object };
}

/** An actor's document, with the key that verifies what it signs. */
export function actor(config: Config, a: Account): object {
  const id = actorUri(config, a);
  const instance = a.id === "-99";
  return {
    id,
    type: a.actor_type ?? "Person",
    preferredUsername: instance ? config.localDomain : a.username,
    name: a.display_name,
    summary: a.note,
    url: instance
      ? `https://${config.webDomain}/about/more?instance_actor=true`
      : `https://${config.webDomain}/@${a.username}`,
    inbox: `${id}/inbox`,
    outbox: `${id}/outbox`,
    ...(instance ? {} : { followers: `${id}/followers`, following: `${id}/following` }),
    manuallyApprovesFollowers: a.locked,
    published: a.created_at.toISOString().slice(0, 10) + "T00:00:00Z",
    ...image(config, a, "icon", "avatar"),
    ...image(config, a, "image", "header"),
    publicKey: { id: `${id}#main-key`, owner: id, publicKeyPem: a.public_key },
    endpoints: { sharedInbox: `https://${config.webDomain}/inbox` },
  };
}

function image(config: Config, a: Account, property: string, which: "avatar" | "header"): object {
  const url = faceUrl(config, a, which);
  return url ? { [property]: { type: "Image", mediaType: a[`${which}_content_type`] as string, url } } : {};
}
