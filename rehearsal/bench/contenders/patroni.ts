import { waitFor } from "../../lab/run";
import type { Contender } from "../contender";
import { addresses, app, binFolder, type Side, type Site } from "../site";

const data = "/var/lib/postgresql/15/patroni";
const etcd = "198.18.2.20";
const port = 5000;

/** With the settings of its own example: etcd on a third server, HAProxy asking its REST API. */
export const patroni: Contender = {
  name: "Patroni",
  how: "`patronictl switchover`; HAProxy finds the primary by Patroni's REST API, with the checks of Patroni's own example (every 3 s, down after 3, up after 2)",
  layer: true,
  door: { host: "127.0.0.1", port, ...app },

  async setup(site) {
    await startEtcd(site);
    for (const side of ["source", "target"] as const) {
      const host = site.host(side);
      await host.exec(["systemctl", "stop", "postgresql@15-main"]);
      await host.put("/etc/patroni/config.yml", configuration(side));
      await host.exec(["systemctl", "start", "patroni"]);
      await becomes(site, side, side === "source" ? "primary" : "replica");
    }
    await site.makeDatabase("source");
    await site.target.put("/etc/haproxy/haproxy.cfg", haproxy);
    await site.target.exec(["systemctl", "restart", "haproxy"]);
    await site.target.sh(
      `until PGPASSWORD=${app.password} psql -XAtqc 'SELECT 1' -h 127.0.0.1 -p ${port} -U ${app.user} ${app.database}; do sleep 0.5; done`,
      { timeoutMs: 60_000 },
    );
    await streams(site, "source");
  },

  async switchTo(site, side) {
    const from = side === "target" ? "source" : "target";
    const argv = ["switchover", "bench", "--master", from, "--candidate", side, "--force"];
    await site.target.exec(["patronictl", "-c", "/etc/patroni/config.yml", ...argv]);
    await becomes(site, side, "primary");
    await becomes(site, from, "replica");
    await streams(site, side);
    return {};
  },
};

async function startEtcd(site: Site): Promise<void> {
  const host = await site.third("etcd", etcd);
  const urls = `ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\nETCD_ADVERTISE_CLIENT_URLS=http://${etcd}:2379\n`;
  await host.put("/etc/default/etcd", urls);
  await host.exec(["systemctl", "start", "etcd"]);
}

/** Waits until a server's REST API says that it is what it should be. */
async function becomes(site: Site, side: Side, role: "primary" | "replica"): Promise<void> {
  const argv = [
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    `http://${addresses[side]}:8008/${role}`,
  ];
  await waitFor(`Patroni on ${side} to be ${role}`, 120_000, async () => {
    const { stdout } = await site.host(side).exec(argv, { allowFail: true });
    return stdout.trim() === "200" || `its REST API answers ${stdout.trim()}`;
  });
}

/**
 * Waits until the other server streams. Patroni makes its slot in its next round only, up to 10 s later, calls it a replica
 * before, and promotes it too: all that it lacks is then lost, the database itself in the first seconds.
 */
async function streams(site: Site, primary: Side): Promise<void> {
  await waitFor(`the standby of ${primary} to stream`, 120_000, async () => {
    const states = await site.sql(primary, "SELECT state FROM pg_stat_replication;", "postgres");
    return states === "streaming" || `pg_stat_replication says ${states || "nothing"}`;
  });
}

const configuration = (side: Side) => `
scope: bench
name: ${side}
restapi:
  listen: 0.0.0.0:8008
  connect_address: ${addresses[side]}:8008
etcd3:
  host: ${etcd}:2379
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
  initdb:
    - encoding: UTF8
    - locale: en_US.UTF-8
    - data-checksums
  pg_hba:
    - local all all peer
    - host replication replicator 198.18.0.0/15 md5
    - host all all 0.0.0.0/0 md5
postgresql:
  listen: 0.0.0.0:5432
  connect_address: ${addresses[side]}:5432
  data_dir: ${data}
  bin_dir: ${binFolder}
  pgpass: /tmp/pgpass
  authentication:
    replication: { username: replicator, password: rep-pass }
    superuser: { username: postgres, password: super-pass }
    rewind: { username: rewind_user, password: rewind_password }
  parameters:
    unix_socket_directories: /var/run/postgresql
`;

const haproxy = `global
  maxconn 100
defaults
  mode tcp
  retries 2
  timeout client 30m
  timeout connect 4s
  timeout server 30m
  timeout check 5s
listen bench
  bind *:${port}
  option httpchk
  http-check expect status 200
  default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
  server old ${addresses.source}:5432 maxconn 100 check port 8008
  server new ${addresses.target}:5432 maxconn 100 check port 8008
`;
