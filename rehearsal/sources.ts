/** Sources as real admins have them: what can be combined in one rehearsal (`--source NAME,NAME`). */
import type { Variant } from "./mastodon";
import { cdn, domain } from "./names";

/** A way in which a source, or where it goes, differs from the plain rehearsal. */
export interface Source {
  title: string;
  /** The guide's source install, or the official Compose project. @default "systemd" */
  layout?: "systemd" | "compose";
  variant?: Variant;
  /** The login user with sudo instead of root, and sshd's port. */
  ssh?: { user: string; port: number };
  /** Where the new server comes from. @default "hetzner" */
  target?: "hetzner" | "vultr" | "existing";
  /** Who serves the zone. @default "cloudflare" */
  dns?: "cloudflare" | "hetzner" | "none";
}

export const sources: Record<string, Source> = {
  systemd: { title: "a source install with systemd units", layout: "systemd" },
  compose: { title: "the official Docker Compose project", layout: "compose" },
  tcp: { title: "the database over TCP with an odd password", variant: { database: "tcp" } },
  url: { title: "one DATABASE_URL with an odd password", variant: { database: "url" } },
  cluster: {
    title: "a Postgres cluster of another name on another port, in a locale that the new server lacks",
    variant: { cluster: { name: "social", port: 5433, locale: "sv_SE.UTF-8" } },
  },
  pgbouncer: {
    title: "PgBouncer before the database already, without prepared statements",
    variant: { database: "tcp", pgbouncer: true },
  },
  "redis-password": { title: "Redis with a password", variant: { redis: "password" } },
  "redis-url": { title: "Redis as one REDIS_URL with a password", variant: { redis: "url" } },
  "redis-acl": { title: "Redis with a user of its own, and no default user", variant: { redis: "acl" } },
  "redis-socket": { title: "Redis over its Unix socket", variant: { redis: "socket" } },
  "web-domain": {
    title: "WEB_DOMAIN other than LOCAL_DOMAIN, both on this server",
    variant: { webDomain: `mastodon.${domain}` },
  },
  spread: {
    title: "nginx's site in two files of other names",
    variant: { site: { file: "sites-available/our-community", spread: true } },
  },
  "conf-d": { title: "nginx's site in conf.d", variant: { site: { file: "conf.d/social.conf" } } },
  extras: { title: "own locations, headers and snippets in the site", variant: { site: { extras: true } } },
  cdn: { title: "a CDN before the instance", variant: { site: { behind: [cdn] } } },
  neighbour: {
    title: "another site on the same server",
    variant: { site: { neighbour: "shop.example" } },
  },
  sudo: { title: "a login user with sudo, sshd on port 2222", ssh: { user: "admin", port: 2222 } },
  units: {
    title: "a Sidekiq unit for each load, two streaming units, drop-ins",
    variant: { units: "split" },
  },
  classic: { title: "one streaming unit, as up to 4.1", variant: { units: "classic" } },
  place: {
    title: "another user, home and folder",
    variant: { app: { user: "toot", home: "/var/lib/toot", live: "/srv/mastodon" } },
  },
  "media-disk": {
    title: "media on a disk of their own, by PAPERCLIP_ROOT_PATH",
    variant: { media: { dir: "/mnt/media", as: "variable" } },
  },
  "media-link": {
    title: "public/system as a link to another disk",
    variant: { media: { dir: "/mnt/volume/system", as: "link" } },
  },
  vultr: { title: "the new server at Vultr", target: "vultr" },
  existing: { title: "a new server that is there already", target: "existing" },
  "dns-hetzner": { title: "the zone at Hetzner", dns: "hetzner" },
  "dns-none": { title: "a zone that the admin changes by hand", dns: "none" },
};

/** Pairs of them that want one part in two ways, like `vultr and existing`. A name that is not known goes with all. */
export function contradictions(names: string[]): string[] {
  const wishes = names.map(
    (name) => new Map(Object.hasOwn(sources, name) ? leaves(sources[name] ?? {}) : []),
  );
  const apart = (a: Map<string, string>, b: Map<string, string>) =>
    [...a].some(([part, value]) => (b.get(part) ?? value) !== value);
  return names.flatMap((name, i) =>
    names.slice(i + 1).flatMap((other, j) => {
      const [mine, its] = [wishes[i], wishes[i + 1 + j]];
      return mine && its && apart(mine, its) ? [`${name} and ${other}`] : [];
    }),
  );
}

/** Everything that a source says of itself but its title, by where it says it: `variant.site.file`. */
function leaves(part: object, where = ""): [string, string][] {
  return Object.entries(part).flatMap(([key, value]): [string, string][] => {
    if (key === "title") return [];
    const name = `${where}${key}`;
    const inside = typeof value === "object" && value !== null && !Array.isArray(value);
    return inside ? leaves(value as object, `${name}.`) : [[name, JSON.stringify(value)]];
  });
}

/** Several of them as one. @throws Error naming what is not known */
export function combined(names: string[]): Source {
  const unknown = names.filter((name) => !(name in sources));
  if (unknown.length) throw new Error(`no source is called ${unknown.join(", ")}`);
  return names
    .map((name) => sources[name] as Source)
    .reduce((all, one) => ({ ...all, ...one, title: join(all.title, one.title), variant: both(all, one) }), {
      title: "",
    });
}

function both(a: Source, b: Source): Variant {
  const site = { ...a.variant?.site, ...b.variant?.site };
  return { ...a.variant, ...b.variant, ...(Object.keys(site).length && { site }) };
}

function join(a: string, b: string): string {
  return a ? `${a}; ${b}` : b;
}
