import { bundle } from "./bundle";
import { environmentFile } from "./environment";
import { makeSecrets, type Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { missingPicture, tree } from "./tree";
import { database, redis } from "./servers";
import { unitFiles } from "./unit-variants";
import { type Layout, layoutOf, moved, type Variant } from "./variant";
import { web } from "./web-site";

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
  /** @default - as in the official guide */
  variant?: Variant;
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

/** Lays out a source install on a host as its admin would have it, fills it, and starts it. */
export async function installMastodon(host: Host, o: InstallOptions): Promise<Installed> {
  const secrets = makeSecrets();
  const variant = o.variant ?? {};
  const layout = layoutOf(o.domain, variant);
  await account(host, layout);
  if (variant.media) await mediaDisk(host, layout, variant.media.as);
  await files(host, { ...o, variant }, layout, secrets);
  await database(host, secrets, variant);
  await redis(host, secrets, variant, layout.user);
  const seeded = await seed(host, layout, o.size);
  await web(host, layout, { ...o, variant });
  await start(host, layout);
  return { ...sort(seeded), redisPassword: secrets.redis };
}

/** The user of the app; nginx must be able to walk through its home. */
async function account(host: Host, { user, home, live, media }: Layout): Promise<void> {
  await host.sh(`
    getent group ${user} >/dev/null || groupadd --system --gid 990 ${user}
    id ${user} >/dev/null 2>&1 ||
      useradd --system --uid 990 --gid 990 --create-home --home-dir ${home} --shell /bin/bash ${user}
    chmod 0711 ${home}
    install -d -o ${user} -g ${user} ${live} ${live}/public ${media} /var/cache/nginx`);
}

/** Media on a file system of their own, as on a volume of a cloud. */
async function mediaDisk(host: Host, { user, live, media }: Layout, as: "variable" | "link"): Promise<void> {
  await host.sh(`
    echo 'tmpfs ${media} tmpfs size=300M 0 0' >>/etc/fstab
    systemctl daemon-reload; mount ${media}; chown ${user}: ${media}
    ${as === "link" ? `ln -sfn ${media} ${live}/public/system` : ""}`);
}

async function files(
  host: Host,
  o: InstallOptions & { variant: Variant },
  layout: Layout,
  secrets: Secrets,
): Promise<void> {
  const { user, home, live } = layout;
  for (const file of await tree())
    await host.put(moved(file.path, layout), moved(file.text, layout), file.mode ?? 0o644);
  await host.sh(
    `mkdir -p ${live}/public/avatars/original ${live}/public/headers/original; base64 -d |
    tee ${live}/public/avatars/original/missing.png >${live}/public/headers/original/missing.png`,
    { input: missingPicture() },
  );
  await host.put(`${live}/.env.production`, environmentFile(o.domain, secrets, o.variant), 0o600);
  await host.sh(`chown -R ${user}:${user} ${home} ${live}`);
  const jemalloc = (await host.sh("ldconfig -p | grep -c 'libjemalloc\\.so ' || true")).stdout.trim() !== "0";
  for (const [name, text] of Object.entries(unitFiles(jemalloc, layout, o.variant)))
    await host.put(`/etc/systemd/system/${name}`, text);
  await host.sh("systemctl daemon-reload");
}

async function seed(host: Host, { user, live }: Layout, size: Size): Promise<Seeded> {
  await host.put("/run/mastodon-seed.js", await bundle("seed/main.ts"));
  const { stdout } = await host.sh(
    `cd ${live}; trap 'rm -f /run/mastodon-seed.js' EXIT
     runuser -u ${user} -- env RAILS_ENV=production /usr/bin/node /run/mastodon-seed.js ${size}`,
    { timeoutMs: 900_000 },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Seeded;
}

/** Starts the units and waits until the site answers from its database, and streaming from its port. */
async function start(host: Host, { user, webDomain, units }: Layout): Promise<void> {
  const all = [...units.web, ...units.sidekiq, ...units.streaming].join(" ");
  const site = `curl -sf --max-time 5 --resolve ${webDomain}:443:127.0.0.1 -o /dev/null https://${webDomain}`;
  await host.sh(
    `systemctl enable --quiet ${all}; systemctl start ${all}
     deadline=$((SECONDS + 60))
     until ${site}/api/v2/instance && ${site}/api/v1/streaming/health; do
       ((SECONDS < deadline)) || { systemctl --no-pager status ${all}; journalctl -n 40 --no-pager -u 'mastodon-*'; exit 1; } >&2
       sleep 0.2
     done
     until pgrep -u ${user} -f '^sidekiq 8' >/dev/null; do
       ((SECONDS < deadline)) || { echo 'no process is called sidekiq 8' >&2; exit 1; }
       sleep 0.2
     done`,
    { timeoutMs: 90_000 },
  );
}

function sort({ people, counts }: Seeded): Omit<Installed, "redisPassword"> {
  const [admin, ...rest] = people.flatMap((p) => (p.token ? [{ ...p, token: p.token }] : []));
  if (!admin) throw new Error("seeding made no owner");
  const suspended = ["guest002", "guest003"];
  const guests = people.filter((p) => !p.token && !suspended.includes(p.username));
  return { admin, users: rest, followable: guests.map(({ id, username }) => ({ id, username })), counts };
}
