import { Lab } from "../lab";
import { run } from "../lab/run";
import { furnish, replSecret, step } from "./contenders/ours";
import { spread } from "./measure";
import type { Options } from "./options";
import type { Keep } from "./part";
import { say, type Seeding } from "./results";
import { addresses, binFolder, open, Site } from "./site";
import { versions } from "./versions";

const link = { rate: "1gbit", name: "1 Gbit/s" };
const folder = "/var/lib/postgresql/15/copy";
const tries = 3;
/** Where `tunnel/up` puts the forward for base backups. */
const forward = { host: "127.0.0.1", port: 15434 };

/** The same base backup through the tunnel and over plain TCP, in turn, on one link. */
export async function measureSeeding(o: Options, keep: Keep): Promise<void> {
  const lab = await Lab.start();
  const site = await Site.boot(lab);
  await publish(site, o.mib);
  // All that leaves the router for the new server's network, as a server's own uplink would hold it.
  await run([
    "tc",
    "qdisc",
    "add",
    "dev",
    "new",
    "root",
    "tbf",
    "rate",
    link.rate,
    "burst",
    "256kb",
    "latency",
    "100ms",
  ]);
  const found = await versions(site.target);
  const seeding: Seeding[] = [];
  for (const rttMs of o.rtts) {
    await lab.setRtt(rttMs);
    seeding.push(await compare(site, rttMs));
    keep({ seeding, versions: found });
  }
  await lab.stop();
}

/** A source that both ways may read, with a database of some size. */
async function publish(site: Site, mib: number): Promise<void> {
  await furnish(site, open.settings, "host replication trunkline_repl 198.18.0.0/15 scram-sha-256\n");
  await site.sql(
    "source",
    `CREATE TABLE filler (page text);
     ALTER TABLE filler ALTER page SET STORAGE PLAIN;
     INSERT INTO filler SELECT repeat(md5(n::text), 250) FROM generate_series(1, ${mib} * 128) AS n;
     CHECKPOINT;`,
  );
  for (const name of ["access/grant", "database/publish", "switchover/agent", "tunnel/up"])
    await step(site, name);
}

async function compare(site: Site, rttMs: number): Promise<Seeding> {
  const plain: number[] = [];
  const tunnel: number[] = [];
  for (let n = 1; n <= tries; n++) {
    plain.push(await copy(site, { host: addresses.source, port: 5432 }));
    tunnel.push(await copy(site, forward));
    say(`seeding at ${rttMs} ms, ${n} of ${tries}: plain ${plain.at(-1)} s, tunnel ${tunnel.at(-1)} s`);
  }
  const bytes = Number(await site.sql("source", "SELECT sum(pg_database_size(oid)) FROM pg_database;"));
  const [plainSeconds, tunnelSeconds] = [spread(plain).median, spread(tunnel).median];
  const ratio = Math.round((plainSeconds / tunnelSeconds) * 1000) / 1000;
  return { link: link.name, rttMs, bytes, plainSeconds, tunnelSeconds, ratio };
}

/** One base backup to the new server's disk; seconds. */
async function copy(site: Site, from: { host: string; port: number }): Promise<number> {
  await site.target.exec(["rm", "-rf", folder]);
  await site.target.exec(["sync"], { timeoutMs: 300_000 });
  const conninfo = `host=${from.host} port=${from.port} user=trunkline_repl password=${replSecret} sslmode=disable`;
  const what = ["-D", folder, "-X", "stream", "-c", "fast", "--no-sync", "-d", conninfo];
  const begun = performance.now();
  await site.target.exec(["runuser", "-u", "postgres", "--", `${binFolder}/pg_basebackup`, ...what], {
    timeoutMs: 1_800_000,
  });
  return Math.round(performance.now() - begun) / 1000;
}
