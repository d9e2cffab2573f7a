import { readFileSync } from "node:fs";
import type { LabHost } from "../../lab";
import type { Contender } from "../contender";
import { addresses, binFolder, dataFolder, open, type Side, type Site, unit } from "../site";
import { consoleCommand, door, pointPooler, pooler, repointCommand, startPooler } from "./pgbouncer";

const home = "/var/lib/postgresql";
const hook = "/usr/local/bin/promoted";
const sides: Side[] = ["source", "target"];

/**
 * Its documentation asks to block applications: PgBouncer is paused before. It is resumed as early as repmgr can tell,
 * by its event notification of the promotion, and not only when the old server has rejoined.
 */
export const repmgr: Contender = {
  name: "repmgr",
  how: "PgBouncer's PAUSE, `repmgr standby switchover`, and by its event `standby_promote` the new host, RELOAD and RESUME",
  layer: true,
  door,

  async setup(site) {
    for (const side of sides) await prepare(site, side);
    await site.startPostgres("source", settings, access);
    await site.sql(
      "source",
      "CREATE ROLE repmgr SUPERUSER LOGIN; CREATE DATABASE repmgr OWNER repmgr;",
      "postgres",
    );
    await site.makeDatabase("source");
    await command(site.source, "primary register");
    await site.target.exec(["systemctl", "stop", unit]);
    await site.target.exec(["rm", "-rf", dataFolder]);
    await command(site.target, `-h ${addresses.source} -U repmgr -d repmgr standby clone --fast-checkpoint`);
    await site.startPostgres("target", settings, access);
    await command(site.target, "standby register");
    await startPooler(site, "source");
    await site.target.sh("chown -R postgres: /etc/pgbouncer"); // repmgr's event has to write there
  },

  async switchTo(site) {
    await pooler(site, "PAUSE");
    await command(site.target, "standby switchover --log-level=INFO");
    return {};
  },

  async reset(site) {
    await pooler(site, "PAUSE");
    await command(site.source, "standby switchover");
    await pointPooler(site, "source");
    await pooler(site, "RELOAD");
    await pooler(site, "RESUME");
  },
};

const settings = `${open.settings}shared_preload_libraries = 'repmgr'\nmax_wal_senders = 10\nmax_replication_slots = 10\n`;
const access = `host replication repmgr 198.18.0.0/15 trust\nhost repmgr repmgr 198.18.0.0/15 trust\n${open.access}`;

async function command(host: LabHost, words: string): Promise<void> {
  await host.exec([
    "runuser",
    "-u",
    "postgres",
    "--",
    "repmgr",
    "-f",
    "/etc/repmgr.conf",
    ...words.split(" "),
  ]);
}

/** What repmgr asks for: SSH between the two without a password, sudo for the service, a file on each node. */
async function prepare(site: Site, side: Side): Promise<void> {
  const host = site.host(side);
  const { privatePath, public: publicKey } = site.lab.operatorKey;
  await host.put(`${home}/.ssh/id_ed25519`, readFileSync(privatePath, "utf8"), 0o600);
  await host.put(`${home}/.ssh/authorized_keys`, `${publicKey}\n`, 0o600);
  const pins = sides.map((s) => `${addresses[s]} ${site.host(s).hostKeyPublic}\n`).join("");
  await host.put(`${home}/.ssh/known_hosts`, pins);
  await host.sh(`chown -R postgres: ${home}/.ssh; chmod 700 ${home}/.ssh`);
  const may = ["start", "stop", "restart", "reload"].map((verb) => `/usr/bin/systemctl ${verb} ${unit}`);
  await host.put("/etc/sudoers.d/postgres", `postgres ALL = NOPASSWD: ${may.join(", ")}\n`, 0o440);
  await host.put("/etc/repmgr.conf", configuration(side));
  const repoint = `[ "$1" = standby_promote ] || exit 0\n${repointCommand("target")}`;
  const told = ["RELOAD", "RESUME"]
    .map((c) => consoleCommand(c).replace("runuser -u postgres -- ", ""))
    .join("\n");
  // Only the new server has the pooler, and only its promotion is measured.
  await host.put(hook, `#!/bin/bash -e\n${side === "target" ? `${repoint}\n${told}\n` : ""}`, 0o755);
}

const configuration = (side: Side) => `node_id = ${sides.indexOf(side) + 1}
node_name = '${side}'
conninfo = 'host=${addresses[side]} user=repmgr dbname=repmgr connect_timeout=2'
data_directory = '${dataFolder}'
pg_bindir = '${binFolder}'
use_replication_slots = yes
event_notification_command = '${hook} %e %s'
event_notifications = 'standby_promote'
${["start", "stop", "restart", "reload"].map((verb) => `service_${verb}_command = 'sudo systemctl ${verb} ${unit}'`).join("\n")}
`;
