import type { Session, Row } from "./database";
import type { Config } from "./config";
import type { Instance } from "./instance";

export interface Account extends Row {
  id: string;
  username: string;
  domain: string | null;
  private_key: string | null;
  public_key: string;
  uri: string;
  url: string | null;
  inbox_url: string;
  shared_inbox_url: string;
  display_name: string;
  note: string;
  locked: boolean;
  actor_type: string | null;
  avatar_file_name: string | null;
  avatar_storage_schema_version: number | null;
  header_file_name: string | null;
  header_storage_schema_version: number | null;
  suspended_at: Date | null;
  created_at: Date;
  updated_at: Date;
  id_scheme: number | null;
}

/** The instance itself, as an actor. */
export const INSTANCE_ACTOR = "-99";

export const accountById = (db: Session, id: string) =>
  db.one<Account>("SELECT * FROM accounts WHERE id = $1", [id]);

export const accountByName = (db: Session, name: string, domain: string | null = null) =>
  db.one<Account>(
    "SELECT * FROM accounts WHERE lower(username) = lower($1) AND coalesce(lower(domain), '') = lower($2)",
    [name, domain ?? ""],
  );

export const accountByUri = (db: Session, uri: string) =>
  db.one<Account>("SELECT * FROM accounts WHERE uri = $1 AND uri <> '' LIMIT 1", [uri]);

/** The address of an account in the fediverse. Local rows have none stored: it follows from their id scheme. */
export function actorUri(config: Config, a: Account): string {
  if (a.domain !== null) return a.uri;
  if (a.id === INSTANCE_ACTOR) return `https://${config.webDomain}/actor`;
  return `https://${config.webDomain}${a.id_scheme === 1 ? `/ap/users/${a.id}` : `/users/${a.username}`}`;
}

/** The local account that an address names, if it names one. */
export async function localByUri(i: Instance, uri: string): Promise<Account | undefined> {
  const path = uri.startsWith(`https://${i.config.webDomain}/`) ? new URL(uri).pathname : "";
  const [, name] = /^\/(?:users\/|@)([^/]+)/.exec(path) ?? [];
  const [, id] = /^\/ap\/users\/(\d+)/.exec(path) ?? [];
  if (name) return accountByName(i.db, name);
  return id ? i.db.one<Account>("SELECT * FROM accounts WHERE id = $1 AND domain IS NULL", [id]) : undefined;
}

export const signingKey = (config: Config, a: Account) => ({
  keyId: `${actorUri(config, a)}#main-key`,
  privateKey: a.private_key ?? "",
});

interface Actor {
  id: string;
  preferredUsername: string;
  inbox: string;
  outbox?: string;
  url?: string;
  name?: string;
  summary?: string;
  type?: string;
  endpoints?: { sharedInbox?: string };
  publicKey?: { id?: string; publicKeyPem?: string };
  icon?: { url?: string };
}

/** Asks the other server for an actor, signed by the instance actor, and keeps what it says. */
export async function fetchActor(i: Instance, uri: string): Promise<Account | undefined> {
  const self = await accountById(i.db, INSTANCE_ACTOR);
  const address = uri.replace(/#.*$/, "");
  const key = self ? signingKey(i.config, self) : undefined;
  const answer = await i.web.request({ method: "GET", url: address, key });
  if (answer.status !== 200) return undefined;
  const actor = JSON.parse(answer.body.toString("utf8")) as Actor;
  const host = new URL(actor.id).host;
  if (host !== new URL(address).host || !actor.preferredUsername || !actor.inbox) return undefined;
  return keep(i.db, actor, host);
}

function keep(db: Session, actor: Actor, domain: string): Promise<Account | undefined> {
  return db.one<Account>(
    `INSERT INTO accounts (username, domain, public_key, uri, url, inbox_url, outbox_url, shared_inbox_url, display_name,
       note, actor_type, avatar_remote_url, protocol, last_webfingered_at, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, now(), now(), now())
     ON CONFLICT (lower(username), coalesce(lower(domain), '')) DO UPDATE SET public_key = excluded.public_key,
       uri = excluded.uri, inbox_url = excluded.inbox_url, shared_inbox_url = excluded.shared_inbox_url, updated_at = now()
     RETURNING *`,
    [
      ...[
        actor.preferredUsername,
        domain,
        actor.publicKey?.publicKeyPem ?? "",
        actor.id,
        actor.url ?? actor.id,
      ],
      ...[actor.inbox, actor.outbox ?? "", actor.endpoints?.sharedInbox ?? "", actor.name ?? ""],
      ...[actor.summary ?? "", actor.type ?? "Person", actor.icon?.url ?? null],
    ],
  );
}
