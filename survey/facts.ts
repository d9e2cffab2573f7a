import type { Raw } from "./raw";
import type { Compose } from "./raw-app";

/**
 * What every step is told about the source, by the name of the setting. Taken from the first survey and kept
 * for good: a source that is fenced, masked or gone must not change what the steps are told.
 */
export type Facts = Record<(typeof factNames)[number], string>;

export const factNames = [
  "PG_MAJOR",
  "PG_PORT",
  "PG_CLUSTER",
  "PG_DATA",
  "PG_UNIT",
  "DB_NAME",
  "DB_USER",
  "REDIS_PORT",
  "REDIS_UNIT",
  "APP_USER",
  "APP_UID",
  "APP_GID",
  "APP_HOME",
  "APP_DIR",
  "MEDIA_DIR",
  "WEB_UNITS",
  "SIDEKIQ_UNITS",
  "STREAMING_UNITS",
  "NGINX_SITE",
  "TLS_CERT",
  "TLS_KEY",
  "WEB_DOMAIN",
  "WEB_NAMES",
  "RENEWALS",
  "MASTODON_VERSION",
  "SOURCE_RELEASE",
  "SOURCE_REPOSITORY",
  "SOURCE_REF",
  "LAYOUT",
  "COMPOSE_DIR",
  "COMPOSE_FILES",
  "COMPOSE_CLI",
  "COMPOSE_ENV_FORMAT",
  "COMPOSE_PROJECT",
  "DB_SERVICE",
  "COMPOSE_WEB",
  "COMPOSE_STREAMING",
] as const;

/** Where Mastodon's own code is. */
const upstream = "https://github.com/mastodon/mastodon.git";

/** A host's system in one word: debian-12. */
export function releaseOf({ host }: Raw): string {
  return `${host.os.id}-${host.os.version}`;
}

/** The facts as far as this survey can tell them; what it can't tell is "". */
export function factsOf(source: Raw): Facts {
  const { mastodon: app, postgres: pg, nginx } = source;
  const env = app?.env.values ?? {};
  const names = (units: { name: string }[] | undefined) => (units ?? []).map((u) => u.name).join(" ");
  const certificate = nginx?.certificates[0];
  return {
    PG_MAJOR: text(pg?.major),
    PG_PORT: text(pg?.port),
    // The steps put it beside PG_MAJOR themselves.
    PG_CLUSTER: pg?.cluster?.split("/").at(-1) ?? "",
    PG_DATA: pg?.dataDir ?? "",
    PG_UNIT: pg?.unit ?? "",
    DB_NAME: pg?.database?.name ?? env["DB_NAME"] ?? (app?.compose ? "mastodon_production" : ""),
    DB_USER: pg?.database?.user ?? env["DB_USER"] ?? (app?.compose ? "mastodon" : ""),
    REDIS_PORT: text(source.redis?.port),
    REDIS_UNIT: source.redis?.unit ?? "",
    APP_USER: app?.user ?? "",
    APP_UID: text(app?.uid),
    APP_GID: text(app?.gid),
    APP_HOME: app?.home ?? "",
    APP_DIR: app?.dir ?? "",
    MEDIA_DIR: source.media?.dir ?? "",
    WEB_UNITS: names(app?.units.web),
    SIDEKIQ_UNITS: names(app?.units.sidekiq),
    STREAMING_UNITS: names(app?.units.streaming),
    NGINX_SITE: nginx?.sites[0] ?? "",
    TLS_CERT: certificate?.cert ?? "",
    TLS_KEY: certificate?.key ?? "",
    WEB_DOMAIN: webDomain(source),
    // The web domain first, then the other names that the instance's sites serve: LOCAL_DOMAIN, www.
    WEB_NAMES: (nginx?.names ?? []).join(" "),
    RENEWALS: renewals(source).join(" "),
    MASTODON_VERSION: app?.version ?? "",
    SOURCE_RELEASE: releaseOf(source),
    SOURCE_REPOSITORY: app?.git?.origin ?? upstream,
    // A fork has tags of its own, if any; upstream's are named after the version.
    SOURCE_REF: app?.git?.head ?? (app?.version ? releaseTag(app.version) : ""),
    ...composeFacts(app?.compose),
  };
}

/** Upstream's tag of a version. */
export function releaseTag(version: string): string {
  return `v${version.replace(/\+.*/, "")}`;
}

/** How the parts of Mastodon are run and reached (scripts/lib/layout.sh). */
function composeFacts(compose: Compose | undefined) {
  return {
    LAYOUT: compose ? "compose" : "systemd",
    COMPOSE_DIR: compose?.dir ?? "",
    COMPOSE_FILES: compose?.files.join("\n") ?? "",
    COMPOSE_CLI: compose?.cli ?? "",
    COMPOSE_ENV_FORMAT: compose?.envFormat ?? "",
    COMPOSE_PROJECT: compose?.project ?? "",
    DB_SERVICE: compose?.database ?? "",
    COMPOSE_WEB: compose?.webAddress ?? "",
    COMPOSE_STREAMING: compose?.streamingAddresses.join(" ") ?? "",
  };
}

/** Names of facts that no step can do without and that this survey could not tell. */
export function missingFacts(facts: Facts): string[] {
  // A Postgres that is no Debian cluster has no such name, a process of a container no unit, and not every site has an
  // app of its own to stream.
  const optional = ["PG_CLUSTER", "PG_UNIT", "REDIS_UNIT", "STREAMING_UNITS", "WEB_NAMES", "RENEWALS"];
  return factNames.filter((n) => !facts[n] && !optional.includes(n) && !/^COMPOSE_|^DB_SERVICE$/.test(n));
}

/**
 * Names of the certificates that certbot renews on the source, and can renew on the target: it proves them over HTTP,
 * and each of their names is one that the target serves.
 */
export function renewals({ nginx }: Raw): string[] {
  const along = (nginx?.certificates ?? []).filter(
    (c) =>
      /^(nginx|webroot|standalone)$/.test(c.renewal ?? "") &&
      /^[\w.-]+$/.test(c.lineage ?? "") &&
      c.cert === `/etc/letsencrypt/live/${c.lineage}/fullchain.pem` &&
      c.names.every((name) => nginx?.names.includes(name)),
  );
  return [...new Set(along.map((c) => c.lineage ?? ""))];
}

export function webDomain(source: Raw): string {
  const env = source.mastodon?.env.values ?? {};
  return env["WEB_DOMAIN"] || env["LOCAL_DOMAIN"] || "";
}

/** Names that the instance's sites on the source serve besides the web domain, as far as DNS knows them. */
export function otherNames(source: Raw): string[] {
  const web = webDomain(source);
  return (source.nginx?.names ?? []).filter((n) => n !== web && !n.includes("*") && !n.endsWith(".onion"));
}

function text(n: number | undefined): string {
  return n === undefined ? "" : String(n);
}
