/** How a source differs from the official guide's; every field left out is as the guide has it. */
export interface Variant {
  /** Peer authentication over the socket, a password over TCP, or the same as one DATABASE_URL. @default "socket" */
  database?: "socket" | "tcp" | "url";
  /** Postgres in a cluster of its own. @default - the package's main, on 5432, in the system's locale */
  cluster?: { name?: string; port?: number; locale?: string };
  /** PgBouncer on 6432 between the app and Postgres, as Mastodon's scaling guide has it; needs `database: "tcp"`. */
  pgbouncer?: boolean;
  /** No password, a password, both in one REDIS_URL, a user of its own, or a Unix socket. @default "plain" */
  redis?: "plain" | "password" | "url" | "acl" | "socket";
  /** Lines added at the end of `.env.production`. @default - none */
  environment?: Record<string, string>;
  /** WEB_DOMAIN, where the site is served under another name than that of the accounts. @default - the domain */
  webDomain?: string;
  /** The app's user, its home, and its folder. @default mastodon, /home/mastodon, /home/mastodon/live */
  app?: { user: string; home: string; live: string };
  /** Media on a disk of their own: named by PAPERCLIP_ROOT_PATH, or linked to from public/system. */
  media?: { dir: string; as: "variable" | "link" };
  /** One streaming unit as up to 4.1; or a unit for each queue, odd names and drop-ins. @default "official" */
  units?: "official" | "classic" | "split";
  site?: SiteVariant;
}

/** What admins do to nginx's site. */
export interface SiteVariant {
  /** Where the site lies. @default "sites-available/mastodon", with its link */
  file?: string;
  /** Plain HTTP in a file of its own. */
  spread?: boolean;
  /** Addresses of a CDN whose word on the client counts, in a snippet. */
  behind?: string[];
  /** Locations, headers and a snippet of the admin's own. */
  extras?: boolean;
  /** Another site on the same server, which has nothing to do with the instance. */
  neighbour?: string;
}

/** Where things of the installation are. */
export interface Layout {
  user: string;
  home: string;
  live: string;
  media: string;
  webDomain: string;
  units: { web: string[]; sidekiq: string[]; streaming: string[] };
}

const official = { user: "mastodon", home: "/home/mastodon", live: "/home/mastodon/live" };

export function layoutOf(domain: string, v: Variant = {}): Layout {
  const app = v.app ?? official;
  const split = v.units === "split";
  return {
    ...app,
    media: v.media?.dir ?? `${app.live}/public/system`,
    webDomain: v.webDomain ?? domain,
    units: {
      web: ["mastodon-web"],
      sidekiq: split
        ? ["mastodon-sidekiq-default", "mastodon-sidekiq-scheduler", "toots-from-afar"]
        : ["mastodon-sidekiq"],
      streaming: split
        ? ["mastodon-streaming", "mastodon-streaming@4000", "mastodon-streaming@4001"]
        : v.units === "classic"
          ? ["mastodon-streaming"]
          : ["mastodon-streaming", "mastodon-streaming@4000"],
    },
  };
}

/** A text about the official installation, with this one's places in it. */
export function moved(text: string, { user, home, live }: Layout): string {
  return text
    .replaceAll(official.live, "\0")
    .replaceAll(official.home, home)
    .replaceAll("\0", live)
    .replaceAll(/^User=mastodon$/gm, `User=${user}`);
}
