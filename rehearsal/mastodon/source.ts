import { bundle } from "./bundle";
import { environmentFile } from "./environment";
import type { Host, InstallOptions, Way } from "./install";
import type { Secrets } from "./secrets";
import type { Seeded } from "./seed/main";
import type { Size } from "./seed/sizes";
import { database, redis } from "./servers";
import { missingPicture, rbenv, tree } from "./tree";
import { unitFiles } from "./unit-variants";
import { type Layout, layoutOf, moved, type Variant } from "./variant";
import { web } from "./web-site";

/** The official guide's: from source, with systemd units, Postgres and Redis of the host; or a variant of it. */
export const source: Way = {
  async prepare(host, o, secrets) {
    const variant = o.variant ?? {};
    const layout = layoutOf(o.domain, variant);
    await account(host, layout);
    if (variant.media) await mediaDisk(host, layout, variant.media.as);
    await files(host, { ...o, variant }, layout, secrets);
    await database(host, secrets, variant);
    await redis(host, secrets, variant, layout.user);
    return seed(host, layout, o.size);
  },
  serve: (host, o) => web(host, layoutOf(o.domain, o.variant), { ...o, variant: o.variant ?? {} }),
  running(o) {
    const { webDomain, units } = layoutOf(o.domain, o.variant);
    const all = [...units.web, ...units.sidekiq, ...units.streaming].join(" ");
    return {
      webDomain,
      start: `systemctl enable --quiet ${all}; systemctl start ${all}`,
      status: `systemctl --no-pager status ${all}; journalctl -n 40 --no-pager -u 'mastodon-*'`,
    };
  },
};

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
  for (const file of [...rbenv("/home/mastodon"), ...(await tree("/home/mastodon/live"))])
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
