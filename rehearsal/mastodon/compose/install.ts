import { readFileSync } from "node:fs";
import path from "node:path";
import { VERSION } from "../app/config";
import { bundle } from "../bundle";
import { composeEnvironment } from "../environment";
import type { Host, InstallOptions, Way } from "../install";
import { nginxSite } from "../nginx";
import { schema } from "../schema";
import type { Secrets } from "../secrets";
import type { Seeded } from "../seed/main";
import { bundler, missingPicture, tree } from "../tree";
import { enableSites, lineage } from "../web-site";
import { bridges, composeFile, docker, folder, podman } from "./project";

const built = "/var/tmp/mastodon-images";
const node = "/opt/mastodon/lib/standin/node";

/** The official Compose project in a folder of its own, with nginx on the host before it. */
export const compose: Way = {
  async prepare(host, o, secrets) {
    await project(host, o, secrets);
    await images(host);
    await database(host);
    return seed(host, o);
  },
  async serve(host, { domain, certificate }) {
    await lineage(host, domain, certificate);
    const site = nginxSite(domain, { root: `${folder}/public`, otherwise: "@proxy" });
    await host.put("/etc/nginx/sites-available/mastodon", site);
    await enableSites(host);
  },
  running: ({ domain }) => ({
    webDomain: domain,
    start: `cd ${folder}; docker compose up -d`,
    status: "docker compose ps; docker compose logs --tail=40",
  }),
};

async function project(host: Host, o: InstallOptions, secrets: Secrets): Promise<void> {
  const postgres = (await host.sh("ls /usr/lib/postgresql")).stdout.trim();
  for (const [file, text] of Object.entries({ ...podman, ...bridges })) await host.put(file, text);
  await host.put("/usr/local/bin/docker", docker, 0o755);
  await host.put(`${folder}/docker-compose.yml`, composeFile(postgres));
  await host.put(`${folder}/.env.production`, composeEnvironment(o.domain, secrets, o.variant ?? {}), 0o600);
  await host.sh(`install -d -o 991 -g 991 ${folder}/public/system
    install -d ${folder}/postgres${postgres} ${folder}/redis
    systemctl enable --quiet --now bridges podman.socket; systemctl enable --quiet podman-restart.service`);
}

/** The two images of the app from its files, the other two from the host's packages. */
async function images(host: Host): Promise<void> {
  const app = [...(await tree("mastodon", node)), { ...bundler(node), path: "mastodon/bin/bundle" }];
  const streaming = app.filter((f) => f.path.startsWith("mastodon/streaming/"));
  for (const { path, text, mode } of app) await host.put(`${built}/${path}`, text, mode ?? 0o644);
  for (const { path, text } of streaming)
    await host.put(`${built}/mastodon-streaming/${path.slice(9)}`, text);
  await host.sh(
    `cd ${built}/mastodon/public; mkdir -p avatars/original headers/original
     base64 -d | tee avatars/original/missing.png >headers/original/missing.png`,
    { input: missingPicture() },
  );
  await host.put(`${built}/images.sh`, readFileSync(path.join(__dirname, "images.sh"), "utf8"), 0o755);
  await host.sh(`${built}/images.sh ${VERSION} ${built}; rm -rf ${built}`, { timeoutMs: 300_000 });
}

/** As \`mastodon:setup\` leaves it: database and user \`postgres\`, whom everybody inside is trusted to be. */
async function database(host: Host): Promise<void> {
  await host.sh(
    `cd ${folder}; docker compose up -d db redis
     timeout 60 bash -c 'until docker compose exec -T db pg_isready -q -U postgres -h localhost </dev/null; do sleep 0.5; done'
     docker compose exec -T db psql -U postgres --quiet --no-psqlrc --single-transaction -v ON_ERROR_STOP=1`,
    { input: schema(), timeoutMs: 180_000 },
  );
}

async function seed(host: Host, o: InstallOptions): Promise<Seeded> {
  await host.put("/run/mastodon-seed.js", await bundle("seed/main.ts"));
  const { stdout } = await host.sh(
    `cd ${folder}; trap 'rm -f /run/mastodon-seed.js' EXIT
     docker compose run --rm --no-deps -T -v /run/mastodon-seed.js:/seed.js:ro web ${node} /seed.js ${o.size}`,
    { timeoutMs: 900_000 },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Seeded;
}
