import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { run } from "../../rehearsal/lab/run";

const scripts = path.join(__dirname, "../../scripts");

/** Values that have broken shells, conninfos, configuration files and URLs before. */
export const odd = `it's "odd" $HOME \\ :p@ss#;%s`;

export interface StepResult {
  code: number;
  /** The last line of stdout, parsed; empty if the step failed. */
  result: Record<string, unknown> & { outcome?: "changed" | "unchanged" };
  stderr: string;
}

/** Two real hosts: a source with a database and a Redis in use, and an empty target. */
export class Pair {
  private constructor(
    readonly lab: Lab,
    readonly source: LabHost,
    readonly target: LabHost,
    private readonly keys: { tunnel: { private: string; public: string } },
    readonly settings: Record<string, string>,
  ) {}

  static async boot(
    o: { rttMs?: number; log?: (line: string) => void; targetDiskMiB?: number } = {},
  ): Promise<Pair> {
    const lab = await Lab.start({ rttMs: o.rttMs, log: o.log });
    const prepare = async (rootfs: string) => {
      mkdirSync(path.join(rootfs, "opt/trunkline"), { recursive: true });
      cpSync(scripts, path.join(rootfs, "opt/trunkline/scripts"), { recursive: true });
    };
    const authorizedKeys = [lab.operatorKey.public];
    const [source, target] = await Promise.all([
      lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys, prepare }),
      lab.boot("new", {
        address: "198.18.1.10",
        side: "new",
        authorizedKeys,
        prepare,
        diskMiB: o.targetDiskMiB,
      }),
    ]);
    const tunnel = await keyPair(lab.dir);
    const pair = new Pair(lab, source, target, { tunnel }, settings(source));
    await pair.furnishSource();
    await pair.furnishTarget();
    return pair;
  }

  stop(): Promise<void> {
    return this.lab.stop();
  }

  /** Runs one step as the program does: settings on stdin. */
  async step(
    name: string,
    want: "present" | "absent" = "present",
    extra: Record<string, string> = {},
  ): Promise<StepResult> {
    const side = sourceSteps.has(name) ? "source" : "target";
    const all = { ...this.settings, ...this.secrets(name), WANT: want, SIDE: side, ...extra };
    const input = Object.entries(all)
      .map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`)
      .join("");
    const host = side === "source" ? this.source : this.target;
    const argv = ["bash", "/opt/trunkline/scripts/run", name];
    const out = await host.exec(argv, { input, allowFail: true, timeoutMs: 300_000 });
    const last = out.stdout.trim().split("\n").at(-1) ?? "";
    return { code: out.code, result: out.code === 0 ? JSON.parse(last) : {}, stderr: out.stderr };
  }

  /** Runs a step that has to succeed, and gives its result. */
  async must(name: string, want: "present" | "absent" = "present", extra: Record<string, string> = {}) {
    const step = await this.step(name, want, extra);
    if (step.code !== 0) throw new Error(`${name} ${want} failed:\n${step.stderr}`);
    return step.result;
  }

  /** Everything up to the switchover. */
  async replicate(): Promise<void> {
    for (const name of chain) await this.must(name);
  }

  sql(host: LabHost, text: string): Promise<string> {
    return this.query(host, text, "mastodon_production");
  }

  async query(host: LabHost, text: string, database: string): Promise<string> {
    const argv = [
      "runuser",
      "-u",
      "postgres",
      "--",
      "psql",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-d",
      database,
      "-f",
      "-",
    ];
    return (await host.exec(argv, { input: text })).stdout.trim();
  }

  async redis(host: LabHost, ...command: string[]): Promise<string> {
    return (
      await host.exec([
        "redis-cli",
        "--no-auth-warning",
        "-a",
        this.settings.TEST_REDIS_PASSWORD!,
        ...command,
      ])
    ).stdout.trim();
  }

  /** Whether a host's Postgres takes writes: "primary", "standby", or "down". */
  async role(host: LabHost): Promise<string> {
    const argv = [
      "runuser",
      "-u",
      "postgres",
      "--",
      "psql",
      "-XAtqc",
      "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END",
    ];
    const out = await host.exec(argv, { allowFail: true });
    return out.code === 0 ? out.stdout.trim() : "down";
  }

  /** The host whose Postgres takes writes; fails unless it is exactly one. */
  async primary(): Promise<LabHost> {
    const roles = await Promise.all([this.role(this.source), this.role(this.target)]);
    const primaries = [this.source, this.target].filter((_, i) => roles[i] === "primary");
    if (primaries.length !== 1)
      throw new Error(`expected exactly one primary, found source ${roles[0]}, target ${roles[1]}`);
    return primaries[0]!;
  }

  /** Waits until `look` is true; the deadline is for a machine that is busy. */
  async until(what: string, look: () => Promise<boolean>, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000;
    for (let last = ""; ; await new Promise((r) => setTimeout(r, 100))) {
      if (await look().catch((e: Error) => ((last = e.message), false))) return;
      if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}${last && `: ${last}`}`);
    }
  }

  private secrets(name: string): Record<string, string> {
    if (name === "tunnel/up")
      return { TUNNEL_PRIVATE_KEY: this.keys.tunnel.private, SOURCE_HOST_KEY: this.source.hostKeyPublic };
    if (name === "access/grant")
      return { TUNNEL_PUBLIC_KEY: this.keys.tunnel.public, READ_PUBLIC_KEY: this.lab.operatorKey.public };
    return secrets;
  }

  private async furnishSource(): Promise<void> {
    await this.source.sh(`
      useradd --create-home --home-dir /home/mastodon mastodon
      install -d -o mastodon /home/mastodon/live/public/system
      systemctl enable --now --quiet postgresql
      sed -i "s/^# requirepass .*/requirepass ${this.settings.TEST_REDIS_PASSWORD}/" /etc/redis/redis.conf
      systemctl enable --now --quiet redis-server`);
    await this.query(this.source, "CREATE ROLE mastodon LOGIN CREATEDB;", "postgres");
    await this.query(this.source, "CREATE DATABASE mastodon_production OWNER mastodon;", "postgres");
    await this.sql(this.source, schema);
  }

  private async furnishTarget(): Promise<void> {
    const env = `REDIS_HOST=localhost\nREDIS_PASSWORD=${this.settings.TEST_REDIS_PASSWORD}\n`;
    await this.target.sh(
      "mkdir -p -m 0700 /var/lib/trunkline; useradd --create-home --home-dir /home/mastodon mastodon",
    );
    await this.target.put("/var/lib/trunkline/source.env", env, 0o600);
    await this.target.sh("cat >/root/load.py <&0", {
      input: require("node:fs").readFileSync(path.join(__dirname, "load.py"), "utf8"),
    });
  }
}

export const chain = [
  "access/grant",
  "database/publish",
  "switchover/agent",
  "tunnel/up",
  "database/standby",
  "database/check",
  "pooler/up",
  "redis/replica",
];

const sourceSteps = new Set(["access/grant", "database/publish", "switchover/agent", "host/retire"]);

export const passwords = { repl: `r:${odd}`, app: `a:${odd}` };

const secrets = {
  REPL_PASSWORD: passwords.repl,
  APP_PASSWORD: passwords.app,
  AGENT_TOKEN: odd,
  SLOT_KEEP_MB: "4096",
  DEADLINE_MS: "5000",
  DRAIN_SECONDS: "30",
  CARRY_REDIS: "yes",
};

const settings = (source: LabHost): Record<string, string> => ({
  DOMAIN: "social.example",
  WEB_DOMAIN: "social.example",
  SOURCE_ADDRESS: source.address,
  SOURCE_SSH_PORT: "22",
  SOURCE_SSH_USER: "root",
  TARGET_ADDRESS: "198.18.1.10",
  PG_MAJOR: "15",
  PG_PORT: "5432",
  PG_CLUSTER: "main",
  PG_DATA: "/var/lib/postgresql/15/main",
  DB_NAME: "mastodon_production",
  DB_USER: "mastodon",
  REDIS_PORT: "6379",
  APP_USER: "mastodon",
  APP_UID: "1000",
  APP_GID: "1000",
  APP_HOME: "/home/mastodon",
  APP_DIR: "/home/mastodon/live",
  MEDIA_DIR: "/home/mastodon/live/public/system",
  WEB_UNITS: "mastodon-web.service",
  SIDEKIQ_UNITS: "",
  STREAMING_UNITS: "",
  NGINX_SITE: "/etc/nginx/sites-available/mastodon",
  TLS_CERT: "",
  TLS_KEY: "",
  MASTODON_VERSION: "4.5.0",
  TEST_REDIS_PASSWORD: "redis-pass-word",
});

const schema = `
  SET ROLE mastodon;
  CREATE TABLE ledger (client int NOT NULL, seq int NOT NULL, timeline text DEFAULT substring(pg_walfile_name(pg_current_wal_lsn()), 1, 8));
  CREATE TABLE counter (v bigint NOT NULL);
  INSERT INTO counter VALUES (0);
  CREATE TABLE accounts (id bigserial PRIMARY KEY, username text NOT NULL);
  CREATE UNIQUE INDEX ON accounts (lower(username));
  INSERT INTO accounts (username) SELECT 'Person ' || n FROM generate_series(1, 20000) n;`;

async function keyPair(dir: string): Promise<{ private: string; public: string }> {
  const file = path.join(dir, "tunnel_key");
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file]);
  const [key, pub] = await Promise.all([run(["cat", file]), run(["cat", `${file}.pub`])]);
  return { private: key.stdout, public: pub.stdout };
}
