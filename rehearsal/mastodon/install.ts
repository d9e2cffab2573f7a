import { compose } from "./compose/install";
import { makeSecrets, type Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { source } from "./source";
import type { Variant } from "./variant";

/** What is needed of a host: the lab's are such. */
export interface Host {
  readonly name: string;
  sh(script: string, o?: { input?: string; timeoutMs?: number }): Promise<{ stdout: string; stderr: string }>;
  put(path: string, content: string, mode?: number): Promise<void>;
}

export interface InstallOptions {
  /** LOCAL_DOMAIN, and the name the site is served under. */
  domain: string;
  size: Size;
  /** PEM: the whole chain, and its key. */
  certificate: { cert: string; key: string };
  /** The same for the neighbour's site, where the variant has one. */
  neighbour?: { cert: string; key: string };
  /** The guide's source install with systemd units, or the official Compose project. @default "systemd" */
  layout?: "systemd" | "compose";
  /** @default - as in the official guide */
  variant?: Variant;
}

/** One way of installing Mastodon. */
export interface Way {
  /** Puts everything in place and fills it; the app does not run yet. */
  prepare(host: Host, o: InstallOptions, secrets: Secrets): Promise<Seeded>;
  /** nginx before it. */
  serve(host: Host, o: InstallOptions): Promise<void>;
  running(o: InstallOptions): Running;
}

/** How to start an installation, and to see that it runs. */
export interface Running {
  /** A script that starts all of it, now and after a boot. */
  start: string;
  /** A script that says how it goes. */
  status: string;
  webDomain: string;
}

export interface Person {
  id: string;
  username: string;
}

export interface Installed {
  users: (Person & { token: string })[];
  /** Local accounts that nobody is signed in to. */
  followable: Person[];
  admin: Person & { token: string };
  counts: Record<string, number>;
  /** Of the variants that have one. */
  redisPassword: string;
}

/** Installs Mastodon on a host as its admin would have it, fills it, and starts it. */
export async function installMastodon(host: Host, o: InstallOptions): Promise<Installed> {
  const secrets = makeSecrets();
  const way = o.layout === "compose" ? compose : source;
  const seeded = await way.prepare(host, o, secrets);
  await way.serve(host, o);
  await start(host, way.running(o));
  return { ...sort(seeded), redisPassword: secrets.redis };
}

/** Starts it and waits until the site answers from its database, streaming from its port, and Sidekiq is there. */
async function start(host: Host, o: Running): Promise<void> {
  const site = `curl -sf --max-time 5 --resolve ${o.webDomain}:443:127.0.0.1 -o /dev/null https://${o.webDomain}`;
  await host.sh(
    `${o.start}
     deadline=$((SECONDS + 60))
     until ${site}/api/v2/instance && ${site}/api/v1/streaming/health && pgrep -f '^sidekiq 8' >/dev/null; do
       ((SECONDS < deadline)) || { ${o.status}; exit 1; } >&2
       sleep 0.2
     done`,
    { timeoutMs: 180_000 },
  );
}

function sort({ people, counts }: Seeded): Omit<Installed, "redisPassword"> {
  const [admin, ...rest] = people.flatMap((p) => (p.token ? [{ ...p, token: p.token }] : []));
  if (!admin) throw new Error("seeding made no owner");
  const suspended = ["guest002", "guest003"];
  const guests = people.filter((p) => !p.token && !suspended.includes(p.username));
  return { admin, users: rest, followable: guests.map(({ id, username }) => ({ id, username })), counts };
}
