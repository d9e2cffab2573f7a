import { missingFacts, factsOf } from "../facts";
import { type Check, error, note, older, risk, warning } from "../finding";
import { reached } from "../phase";
import type { Mastodon } from "../raw-app";

export const missing: Check = ({ source }) =>
  source &&
  !source.mastodon &&
  error(
    "mastodon-missing",
    "there is no Mastodon on the source",
    "no unit mastodon-web with a folder and an .env.production",
    "check sourceHost; give mastodonDir and mastodonUser if it lies in an unusual place",
  );

export const composed: Check = ({ source }) =>
  source?.mastodon?.compose &&
  error(
    "mastodon-composed",
    "Mastodon runs by Docker Compose on the source",
    `the project ${source.mastodon.compose.project} in ${source.mastodon.compose.dir}`,
    "a live move is of a source install with systemd units: set targetProvider to none, and move the media alone",
  );

export const facts: Check = ({ source, at }) => {
  if (!source?.mastodon || !source.postgres || reached(at, "prepare")) return null;
  const names = missingFacts(factsOf(source)).filter((n) => n !== "NGINX_SITE" && !n.startsWith("TLS_"));
  return (
    names.length > 0 &&
    error(
      "facts-missing",
      "the survey could not find all that the steps have to know",
      names.join(", "),
      "see the notes on what could not be read, and repair or name it (mastodonDir, mastodonUser)",
    )
  );
};

export const domain: Check = ({ source, migration: m }) => {
  const found = source?.mastodon?.env.values["LOCAL_DOMAIN"];
  return (
    source?.mastodon &&
    found?.toLowerCase() !== m.domain &&
    error(
      "local-domain",
      "the source is another instance",
      `domain is ${m.domain}, the source's LOCAL_DOMAIN is ${found ?? "not set"}`,
      "set domain to the source's LOCAL_DOMAIN: it is part of every account's address and can't be changed by a move",
    )
  );
};

export const version: Check = ({ source }) =>
  source?.mastodon &&
  older(source.mastodon.version, "4.1") &&
  error(
    "mastodon-too-old",
    "this Mastodon is too old",
    `the source has ${source.mastodon.version}`,
    "upgrade it to 4.1 or newer first",
  );

export const selfDestruct: Check = ({ source }) =>
  source?.mastodon?.env.keys.includes("SELF_DESTRUCT") &&
  error(
    "self-destruct",
    "the instance is erasing itself",
    "SELF_DESTRUCT is set",
    "there is nothing to move: it tells the fediverse to forget it",
  );

/** Secrets that this release can't do without, or that would hurt to lose. */
function secretsOf(version: string): string[] {
  return [
    "SECRET_KEY_BASE",
    ...(older(version, "4.4") ? ["OTP_SECRET"] : []),
    ...(older(version, "4.3")
      ? []
      : ["PRIMARY_KEY", "DETERMINISTIC_KEY", "KEY_DERIVATION_SALT"].map(
          (k) => `ACTIVE_RECORD_ENCRYPTION_${k}`,
        )),
  ];
}

export const secrets: Check = ({ source }) => {
  const app = source?.mastodon;
  const gone = app ? secretsOf(app.version).filter((k) => !app.env.hashes[k]) : [];
  return (
    gone.length &&
    error(
      "secrets-missing",
      "the source lacks secrets that its release needs",
      `${gone.join(", ")} in ${app?.env.path}`,
      "put them into .env.production: if they come from the units' environment instead, they are not carried",
    )
  );
};

export const vapid: Check = ({ source }) => {
  const app = source?.mastodon;
  const gone = app ? ["VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY"].filter((k) => !app.env.hashes[k]) : [];
  return (
    gone.length &&
    warning(
      "vapid-missing",
      "the source has no keys for push messages",
      gone.join(", "),
      "nothing for the move; without them there are no push messages",
    )
  );
};

/**
 * Below shift each run carries them again (app/secrets), and the target's own file is written anew by app/serve; after the
 * switch it is its admin's.
 */
export const differing: Check = ({ source, target, at }) => {
  const [s, t] = [source?.mastodon?.env.hashes ?? {}, target?.mastodon?.env.hashes ?? {}];
  // The pooler has a password of its own on the target, and Redis is behind a port of its own there.
  const differ = Object.keys(s).filter(
    (k) => t[k] !== s[k] && !/^(DB|DATABASE|((SIDEKIQ|CACHE)_)?REDIS)_/.test(k),
  );
  return (
    at === "shift" &&
    Object.keys(t).length > 0 &&
    differ.length > 0 &&
    error(
      "secrets-differ",
      "secrets on the target differ from the source's",
      differ.join(", "),
      "go back to replicate and on again: the source's are carried again there, as they are then",
    )
  );
};

/** After the switch the target is upgraded whenever its admin likes. */
export const releases: Check = ({ source, target, at }) => {
  const [s, t] = [source?.mastodon?.version, target?.mastodon?.version];
  return (
    at === "shift" &&
    s &&
    t &&
    s !== t &&
    error(
      "releases-differ",
      "the target serves another release of Mastodon than the source has",
      `source ${s}, target ${t}`,
      "go back to replicate and on again: the source's app is carried again there, as it is then. An upgrade waits until after the switch",
    )
  );
};

export const encrypted: Check = ({ source }) =>
  source?.mastodon?.encryptedRows === 0 &&
  note(
    "nothing-encrypted",
    "no row of the database is encrypted",
    "no user has two-factor login",
    "nothing: secrets are compared by hash; there is just no row to prove them by",
  );

export const search: Check = ({ source }) =>
  source?.mastodon?.env.values["ES_ENABLED"] === "true" &&
  risk(
    "search",
    "full-text search is on",
    `ES_HOST is ${source.mastodon.env.values["ES_HOST"] ?? "localhost"}`,
    "Elasticsearch is not carried: let ES_HOST be reachable from the target, or switch search off and build the index anew afterwards",
  );

export const replicas: Check = ({ source }) => {
  const keys = source?.mastodon?.env.keys.filter((k) => /^REPLICA_(DB_NAME|DATABASE_URL)$/.test(k)) ?? [];
  return (
    keys.length &&
    error(
      "read-replica",
      "the app reads from a replica of its own",
      keys.join(", "),
      "take it out (and restart the app) for the migration",
    )
  );
};

export const inUse: Check = ({ source, target, at }) =>
  !reached(at, "shift") &&
  !source?.trunkline.paths.length &&
  target?.mastodon?.units.web.some((u) => u.active === "active") &&
  error(
    "target-in-use",
    "a Mastodon runs on the target already",
    target.mastodon.dir,
    "take an empty server",
  );

export const webUnits: Check = ({ source }) => {
  const units = source?.mastodon?.units.web.filter((u) => u.active === "active") ?? [];
  return (
    units.length > 1 &&
    error(
      "web-units",
      "more than one web unit runs",
      units.map((u) => u.name).join(", "),
      "let one serve for the migration (WEB_CONCURRENCY gives it more processes): the requests of one are handed on, and the others would go on writing",
    )
  );
};

export const mediaUrl: Check = ({ source }) => {
  const url = source?.mastodon?.env.values["PAPERCLIP_ROOT_URL"] ?? "";
  return (
    /^https?:/.test(url) &&
    risk(
      "media-url",
      "pictures are served under an address of their own",
      `PAPERCLIP_ROOT_URL is ${url}`,
      "the site that serves them is not carried: let it read the media from wherever they are, or take the variable out and restart Mastodon, so that the instance's own site serves them",
    )
  );
};

/** Whoever sends by a relay elsewhere without a login is known to it by the address alone. */
function byAddress({ env }: Mastodon): boolean {
  const smtp = (env.values["SMTP_DELIVERY_METHOD"] || "smtp") === "smtp";
  const local = env.nearby.some((line) => line.startsWith("SMTP_SERVER "));
  return smtp && !!env.values["SMTP_SERVER"] && !local && !env.hashes["SMTP_LOGIN"];
}

export const mail: Check = ({ source, at }) => {
  const app = source?.mastodon;
  if (!app || reached(at, "switch")) return null;
  const evidence = `SMTP_SERVER is ${app.env.values["SMTP_SERVER"] ?? "not set"}`;
  return byAddress(app)
    ? warning(
        "mail",
        "mail will come from a new address, and its server knows the app by the old one",
        `${evidence}, SMTP_LOGIN is not set`,
        "let it send for the new address too, before shift (the relay's list of networks or of permitted addresses), or set SMTP_LOGIN and SMTP_PASSWORD; and add the new address to SPF. Else no mail leaves from shift on: no confirmations, no new passwords",
      )
    : note(
        "mail",
        "mail will come from a new address",
        evidence,
        "if it is the server's own: reverse DNS is set for you; add the new address to SPF, and see whether the cloud blocks port 25",
      );
};
