import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { Lab, LabHost } from "../lab";
import { run } from "../lab/run";
import { schema } from "./load";

/** Which of the two servers. */
export type Side = "source" | "target";

export const addresses: Record<Side, string> = { source: "198.18.0.10", target: "198.18.1.10" };
export const major = "15";
export const dataFolder = `/var/lib/postgresql/${major}/main`;
export const binFolder = `/usr/lib/postgresql/${major}/bin`;
export const unit = `postgresql@${major}-main`;
/** The database that is moved, and how its app logs in. */
export const app = { database: "mastodon_production", user: "mastodon", password: "password-of-the-app" };

/** Two servers, made anew for each contender from one image: the old one with a database in use, the new one empty. */
export class Site {
  private constructor(
    readonly lab: Lab,
    readonly source: LabHost,
    readonly target: LabHost,
    private readonly prepare: (rootfs: string) => Promise<void>,
  ) {}

  /** With `layer` the hosts also have what `layer.sh` installs. */
  static async boot(lab: Lab, o: { layer?: boolean } = {}): Promise<Site> {
    const prepare = await layers(o.layer ?? false);
    const authorizedKeys = [lab.operatorKey.public];
    const source = await lab.boot("old", { address: addresses.source, side: "old", authorizedKeys, prepare });
    const target = await lab.boot("new", { address: addresses.target, side: "new", authorizedKeys, prepare });
    return new Site(lab, source, target, prepare);
  }

  /** A third server beside the two, near both. */
  third(name: string, address: string): Promise<LabHost> {
    const { prepare } = this;
    return this.lab.boot(name, {
      ...{ address, side: "edge", authorizedKeys: [this.lab.operatorKey.public], prepare },
    });
  }

  host(side: Side): LabHost {
    return side === "source" ? this.source : this.target;
  }

  /** Throws both servers away. */
  async leave(): Promise<void> {
    for (const host of this.lab.hosts()) await this.lab.remove(host.name);
  }

  /** SQL as Postgres' superuser, on one statement's connection; the rows as `psql -At` prints them. */
  async sql(side: Side, text: string, database = app.database): Promise<string> {
    const psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"];
    const argv = ["runuser", "-u", "postgres", "--", ...psql];
    return (await this.host(side).exec(argv, { input: text })).stdout.trim();
  }

  /** Starts the Postgres of Debian's package on a server, with these settings beside its own. */
  async startPostgres(side: Side, settings = "", access = ""): Promise<void> {
    const host = this.host(side);
    const conf = `/etc/postgresql/${major}/main`;
    await host.put(`${conf}/conf.d/bench.conf`, settings);
    await host.exec(
      ["bash", "-euc", `cat - ${conf}/pg_hba.conf >/tmp/hba; cat /tmp/hba >${conf}/pg_hba.conf`],
      {
        input: access,
      },
    );
    await host.exec(["systemctl", "restart", unit]);
  }

  /** The app's role, its database and the load's tables. */
  async makeDatabase(side: Side): Promise<void> {
    const { user, password, database } = app;
    await this.sql(side, `CREATE ROLE ${user} LOGIN PASSWORD '${password}';`, "postgres");
    await this.sql(side, `CREATE DATABASE ${database} OWNER ${user};`, "postgres");
    await this.sql(side, `SET ROLE ${user}; ${schema}`);
  }
}

/** What is laid over the hosts' trees: the steps' scripts, as the program uploads them, and the peers' packages. */
async function layers(withPeers: boolean): Promise<(rootfs: string) => Promise<void>> {
  const layer = withPeers && (await run([path.join(__dirname, "layer.sh"), "--path"])).stdout.trim();
  return async (rootfs) => {
    if (layer) await run(["cp", "-a", `${layer}/.`, rootfs]);
    const scripts = path.join(rootfs, "opt/trunkline/scripts");
    mkdirSync(scripts, { recursive: true });
    cpSync(path.join(__dirname, "../../scripts"), scripts, { recursive: true });
  };
}

/** Settings and access of a server that others reach over the network, as all but ours need it. */
export const open = {
  settings: "listen_addresses = '*'\nwal_log_hints = on\n",
  access: "host all all 198.18.0.0/15 scram-sha-256\n",
};
