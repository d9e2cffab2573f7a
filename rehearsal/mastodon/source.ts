import { bundle } from "./bundle";
import { environmentFile, type Variant } from "./environment";
import type { Host, InstallOptions, Layout } from "./install";
import { nginxSite } from "./nginx";
import { schema } from "./schema";
import type { Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { missingPicture, rbenv, tree } from "./tree";
import { units } from "./units";

const live = "/home/mastodon/live";
const services = "mastodon-web mastodon-sidekiq mastodon-streaming";

/** The official guide's: from source, with systemd units, Postgres and Redis of the host. */
export const source: Layout = {
  async prepare(host, o, secrets) {
    await account(host);
    await files(host, o, secrets);
    await database(host, secrets);
    await redis(host, secrets, o.variant ?? {});
    return seed(host, o.size);
  },
  site: (domain) => nginxSite(domain, { root: `${live}/public` }),
  start: `systemctl enable --quiet ${services} mastodon-streaming@4000; systemctl start ${services}`,
  status: "systemctl --no-pager status 'mastodon-*'; journalctl -n 40 --no-pager -u 'mastodon-*'",
};

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
  for (const file of [...rbenv("/home/mastodon"), ...(await tree(live))])
    await host.put(file.path, file.text, file.mode ?? 0o644);
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
