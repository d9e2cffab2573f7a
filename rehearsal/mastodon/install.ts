import { compose } from "./compose/install";
import type { Variant } from "./environment";
import { makeSecrets, type Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { serve } from "./serve";
import { source } from "./source";

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
  /** The guide's source install with systemd units, or the official Compose project. @default "systemd" */
  layout?: "systemd" | "compose";
  /** @default - as in the official guide */
  variant?: Variant;
}

/** One way of installing Mastodon. */
export interface Layout {
  /** Puts everything in place and fills it; the app does not run yet. */
  prepare(host: Host, o: InstallOptions, secrets: Secrets): Promise<Seeded>;
  /** nginx's site. */
  site(domain: string): string;
  /** A script that starts all of it, now and after a boot. */
  start: string;
  /** A script that says how it goes. */
  status: string;
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
}

/** Installs Mastodon on a host as its admin would have it, fills it, and starts it. */
export async function installMastodon(host: Host, o: InstallOptions): Promise<Installed> {
  const layout = o.layout === "compose" ? compose : source;
  const seeded = await layout.prepare(host, o, makeSecrets());
  await serve(host, o, layout.site(o.domain));
  await start(host, o.domain, layout);
  return sort(seeded);
}

/** Starts it and waits until the site answers from its database, streaming from its port, and Sidekiq is there. */
async function start(host: Host, domain: string, layout: Layout): Promise<void> {
  const site = `curl -sf --max-time 5 --resolve ${domain}:443:127.0.0.1 -o /dev/null https://${domain}`;
  await host.sh(
    `${layout.start}
     deadline=$((SECONDS + 60))
     until ${site}/api/v2/instance && ${site}/api/v1/streaming/health && pgrep -f '^sidekiq 8' >/dev/null; do
       ((SECONDS < deadline)) || { ${layout.status}; exit 1; } >&2
       sleep 0.2
     done`,
    { timeoutMs: 180_000 },
  );
}

function sort({ people, counts }: Seeded): Installed {
  const [admin, ...rest] = people.flatMap((p) => (p.token ? [{ ...p, token: p.token }] : []));
  if (!admin) throw new Error("seeding made no owner");
  const suspended = ["guest002", "guest003"];
  const guests = people.filter((p) => !p.token && !suspended.includes(p.username));
  return { admin, users: rest, followable: guests.map(({ id, username }) => ({ id, username })), counts };
}
