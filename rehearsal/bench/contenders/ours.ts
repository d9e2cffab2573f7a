import { newKeyPair } from "../../lab/rootfs";
import type { Contender } from "../contender";
import { addresses, app, dataFolder, major, type Side, type Site } from "../site";

const appPassword = "password-of-trunkline-app";
export const replSecret = "password-of-trunkline-repl";

/** The program's own steps, in the order and with the settings that it gives them. */
export const ours: Contender = {
  name: "Trunkline",
  how: "the step `switchover/run`, Redis included: PgBouncer holds queries, clean shutdown, proof, promotion",
  layer: false,
  door: {
    host: "127.0.0.1",
    port: 6432,
    user: "trunkline_app",
    password: appPassword,
    database: app.database,
  },

  async setup(site) {
    await furnish(site);
    for (const name of chain) await step(site, name);
  },

  async switchTo(site, side) {
    const told = await step(site, "switchover/run", side === "target" ? "present" : "absent");
    const number = (name: string) => (typeof told[name] === "number" ? told[name] : undefined);
    const steps = (told["steps"] ?? []) as { name: string; ms: number }[];
    return {
      pauseMs: number("writePauseMs"),
      redisPauseMs: number("redisPauseMs"),
      steps: Object.fromEntries(steps.map(({ name, ms }) => [name, ms])),
    };
  },
};

const chain = [
  ...["access/grant", "database/publish", "switchover/agent", "tunnel/up", "database/standby"],
  ...["pooler/up", "redis/replica"],
];

/** A source in use, and what earlier steps than the chain leave on the target. */
export async function furnish(site: Site, settings = "", access = ""): Promise<void> {
  await site.startPostgres("source", settings, access);
  await site.source.exec(["systemctl", "enable", "--now", "--quiet", "postgresql", "redis-server"]);
  await site.makeDatabase("source");
  for (const host of [site.source, site.target])
    await host.sh("useradd --create-home --home-dir /home/mastodon mastodon");
  await site.target.sh("mkdir -p -m 0700 /var/lib/trunkline");
  await site.target.put("/var/lib/trunkline/source.env", "REDIS_HOST=localhost\n", 0o600);
  keys.set(site, await newKeyPair(site.lab.dir, "tunnel"));
}

const keys = new WeakMap<Site, { private: string; public: string }>();
const onSource = new Set(["access/grant", "database/publish", "switchover/agent"]);

/** Runs one step as the program does: settings on stdin, the result as the last line of stdout. */
export async function step(site: Site, name: string, want = "present"): Promise<Record<string, unknown>> {
  const side: Side = onSource.has(name) ? "source" : "target";
  const all = { ...settings(site), WANT: want, SIDE: side };
  const input = Object.entries(all)
    .map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
  const argv = ["bash", "/opt/trunkline/scripts/run", name];
  const { stdout } = await site.host(side).exec(argv, { input, timeoutMs: 1_800_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Record<string, unknown>;
}

function settings(site: Site): Record<string, string> {
  const pair = keys.get(site)!;
  return {
    ...{ DOMAIN: "social.example", WEB_DOMAIN: "social.example", MASTODON_VERSION: "4.5.0" },
    ...{ SOURCE_ADDRESS: addresses.source, SOURCE_SSH_PORT: "22", SOURCE_SSH_USER: "root" },
    ...{ TARGET_ADDRESS: addresses.target, SOURCE_HOST_KEY: site.source.hostKeyPublic },
    ...{ PG_MAJOR: major, PG_PORT: "5432", PG_CLUSTER: "main", PG_DATA: dataFolder },
    ...{ DB_NAME: app.database, DB_USER: app.user, REDIS_PORT: "6379", CARRY_REDIS: "yes" },
    ...{ APP_USER: "mastodon", APP_UID: "1000", APP_GID: "1000", APP_HOME: "/home/mastodon" },
    ...{ APP_DIR: "/home/mastodon/live", MEDIA_DIR: "/home/mastodon/live/public/system" },
    ...{ WEB_UNITS: "", SIDEKIQ_UNITS: "", STREAMING_UNITS: "", NGINX_SITE: "", TLS_CERT: "", TLS_KEY: "" },
    ...{ TUNNEL_PUBLIC_KEY: pair.public, TUNNEL_PRIVATE_KEY: pair.private, READ_PUBLIC_KEY: pair.public },
    ...{ REPL_PASSWORD: replSecret, APP_PASSWORD: appPassword, AGENT_TOKEN: "token" },
    ...{ SLOT_KEEP_MB: "4096", DEADLINE_MS: "5000", DRAIN_SECONDS: "30" },
  };
}
