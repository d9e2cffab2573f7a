import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { bundle } from "./bundle";
import { environmentFile, type Variant } from "./environment";
import { nginxSite } from "./nginx";
import { makeSecrets, type Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { missingPicture, tree } from "./tree";
import { units } from "./units";

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
}

const live = "/home/mastodon/live";
const services = ["mastodon-web", "mastodon-sidekiq", "mastodon-streaming"];

/** Lays out a source install on a host as its admin would have it, fills it, and starts it. */
export async function installMastodon(host: Host, o: InstallOptions): Promise<Installed> {
  const secrets = makeSecrets();
  const variant = o.variant ?? {};
  await account(host);
  await files(host, o, secrets);
  await database(host, secrets);
  await redis(host, secrets, variant);
  const seeded = await seed(host, o.size);
  await web(host, o);
  await start(host, o.domain);
  return sort(seeded);
}

/** The user of the app; nginx must be able to walk through its home. */
async function account(host: Host): Promise<void> {
  await host.sh(`
    getent group mastodon >/dev/null || groupadd --system --gid 990 mastodon
    id mastodon >/dev/null 2>&1 ||
      useradd --system --uid 990 --gid 990 --create-home --home-dir /home/mastodon --shell /bin/bash mastodon
    chmod 0711 /home/mastodon
    install -d -o mastodon -g mastodon ${live} ${live}/public/system /var/cache/nginx`);
}

async function files(host: Host, o: InstallOptions, secrets: Secrets): Promise<void> {
  for (const file of await tree()) await host.put(file.path, file.text, file.mode ?? 0o644);
  await host.sh(
    `mkdir -p ${live}/public/avatars/original ${live}/public/headers/original; base64 -d |
    tee ${live}/public/avatars/original/missing.png >${live}/public/headers/original/missing.png`,
    { input: missingPicture() },
  );
  await host.put(`${live}/.env.production`, environmentFile(o.domain, secrets, o.variant ?? {}), 0o600);
  await host.sh("chown -R mastodon:mastodon /home/mastodon");
  const jemalloc = (await host.sh("ldconfig -p | grep -c 'libjemalloc\\.so ' || true")).stdout.trim() !== "0";
  for (const [name, text] of Object.entries(units(jemalloc)))
    await host.put(`/etc/systemd/system/${name}`, text);
  await host.sh("systemctl daemon-reload");
}

/** Role, database and schema. The role has a password too: whether it is used is up to the environment file. */
async function database(host: Host, secrets: Secrets): Promise<void> {
  const role = `CREATE ROLE mastodon LOGIN CREATEDB PASSWORD '${secrets.database.replaceAll("'", "''")}';\n`;
  await host.sh(
    `systemctl enable --quiet --now postgresql
     timeout 60 bash -c 'until runuser -u postgres -- pg_isready -q; do sleep 0.2; done'
     runuser -u postgres -- psql --quiet --no-psqlrc -v ON_ERROR_STOP=1
     runuser -u postgres -- createdb -O mastodon mastodon_production`,
    { input: role },
  );
  await host.sh(
    `runuser -u mastodon -- psql --quiet --no-psqlrc --single-transaction -v ON_ERROR_STOP=1 -d mastodon_production`,
    { input: schema() },
  );
}

/** The schema's text, with a salt of its own. */
export function schema(): string {
  const parts = ["functions", "accounts", "content", "site", "indexes"];
  const text = parts
    .map((part) => readFileSync(path.join(__dirname, "schema", `${part}.sql`), "utf8"))
    .join("\n");
  return text.replace("@SALT@", randomBytes(16).toString("hex"));
}

async function redis(host: Host, secrets: Secrets, variant: Variant): Promise<void> {
  const quoted = secrets.redis.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  const line = variant.redis && variant.redis !== "plain" ? `requirepass "${quoted}"\n` : "";
  await host.sh("cat >>/etc/redis/redis.conf; systemctl enable --quiet --now redis-server", { input: line });
}

async function seed(host: Host, size: Size): Promise<Seeded> {
  await host.put("/run/mastodon-seed.js", await bundle("seed/main.ts"));
  const { stdout } = await host.sh(
    `cd ${live}; trap 'rm -f /run/mastodon-seed.js' EXIT
     runuser -u mastodon -- env RAILS_ENV=production /usr/bin/node /run/mastodon-seed.js ${size}`,
    { timeoutMs: 900_000 },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Seeded;
}

/** Certificates where certbot keeps them, links and renewal settings included, and the site. */
async function web(host: Host, o: InstallOptions): Promise<void> {
  const le = "/etc/letsencrypt";
  await host.sh(`install -d -m 0755 ${le}/renewal; install -d -m 0700 ${le}/live ${le}/archive
    install -d ${le}/live/${o.domain} ${le}/archive/${o.domain}`);
  const [leaf = "", ...chain] = o.certificate.cert
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((c) => c.trim());
  const parts = {
    cert: leaf,
    chain: chain.join(""),
    fullchain: o.certificate.cert,
    privkey: o.certificate.key,
  };
  for (const [name, text] of Object.entries(parts)) {
    await host.put(`${le}/archive/${o.domain}/${name}1.pem`, text, name === "privkey" ? 0o600 : 0o644);
    await host.sh(`ln -sfn ../../archive/${o.domain}/${name}1.pem ${le}/live/${o.domain}/${name}.pem`);
  }
  const names = Object.keys(parts).map((name) => `${name} = ${le}/live/${o.domain}/${name}.pem\n`);
  const renewal = `version = 2.1.0\narchive_dir = ${le}/archive/${o.domain}\n${names.join("")}\n[renewalparams]\nauthenticator = nginx\n`;
  await host.put(`${le}/renewal/${o.domain}.conf`, renewal);
  await host.put("/etc/nginx/sites-available/mastodon", nginxSite(o.domain));
  await host.sh(`rm -f /etc/nginx/sites-enabled/default
    ln -sfn /etc/nginx/sites-available/mastodon /etc/nginx/sites-enabled/mastodon
    chown www-data /var/cache/nginx
    nginx -t -q
    systemctl enable --quiet nginx; systemctl restart nginx`);
}

/** Starts the units and waits until the site answers from its database, and streaming from its port. */
async function start(host: Host, domain: string): Promise<void> {
  const site = `curl -sf --max-time 5 --resolve ${domain}:443:127.0.0.1 -o /dev/null https://${domain}`;
  await host.sh(
    `systemctl enable --quiet ${services.join(" ")} mastodon-streaming@4000; systemctl start ${services.join(" ")}
     deadline=$((SECONDS + 60))
     until ${site}/api/v2/instance && ${site}/api/v1/streaming/health; do
       ((SECONDS < deadline)) || { systemctl --no-pager status 'mastodon-*'; journalctl -n 40 --no-pager -u 'mastodon-*'; exit 1; } >&2
       sleep 0.2
     done
     until pgrep -u mastodon -f '^sidekiq 8' >/dev/null; do
       ((SECONDS < deadline)) || { echo 'no process is called sidekiq 8' >&2; exit 1; }
       sleep 0.2
     done`,
    { timeoutMs: 90_000 },
  );
}

function sort({ people, counts }: Seeded): Installed {
  const [admin, ...rest] = people.flatMap((p) => (p.token ? [{ ...p, token: p.token }] : []));
  if (!admin) throw new Error("seeding made no owner");
  const suspended = ["guest002", "guest003"];
  const guests = people.filter((p) => !p.token && !suspended.includes(p.username));
  return { admin, users: rest, followable: guests.map(({ id, username }) => ({ id, username })), counts };
}
