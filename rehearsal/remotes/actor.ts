import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** Somebody on another server, with a key of their own. */
export interface Actor {
  host: string;
  username: string;
  uri: string;
  key: KeyObject;
  publicKeyPem: string;
}

export async function makeActor(host: string, username: string): Promise<Actor> {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const publicKeyPem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  return { host, username, uri: `https://${host}/users/${username}`, key: pair.privateKey, publicKeyPem };
}

/** The actor's document, with what Mastodon reads of it. */
export function document(a: Actor): object {
  return {
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
    id: a.uri,
    type: "Person",
    preferredUsername: a.username,
    name: `${a.username} of ${a.host}`,
    summary: "",
    url: `https://${a.host}/@${a.username}`,
    inbox: `${a.uri}/inbox`,
    outbox: `${a.uri}/outbox`,
    followers: `${a.uri}/followers`,
    following: `${a.uri}/following`,
    manuallyApprovesFollowers: false,
    discoverable: true,
    published: "2024-01-01T00:00:00Z",
    endpoints: { sharedInbox: `https://${a.host}/inbox` },
    publicKey: { id: `${a.uri}#main-key`, owner: a.uri, publicKeyPem: a.publicKeyPem },
  };
}

export function webfinger(a: Actor): object {
  return {
    subject: `acct:${a.username}@${a.host}`,
    aliases: [a.uri],
    links: [{ rel: "self", type: "application/activity+json", href: a.uri }],
  };
}
