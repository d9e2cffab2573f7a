import { addresses, binFolder, dataFolder, open, type Site, unit } from "../site";

const role = "bench_repl";

/** A primary on the old server that the network reaches, with the app's database. */
export async function plainPrimary(site: Site): Promise<void> {
  await site.startPostgres(
    "source",
    open.settings,
    `host replication ${role} 198.18.0.0/15 trust\n${open.access}`,
  );
  await site.sql("source", `CREATE ROLE ${role} REPLICATION LOGIN;`, "postgres");
  await site.makeDatabase("source");
}

/** A streaming standby on the new server, made by pg_basebackup over plain TCP; whatever was there goes. */
export async function plainStandby(site: Site): Promise<void> {
  await site.target.exec(["systemctl", "stop", unit]);
  await site.target.exec(["rm", "-rf", dataFolder]);
  await site.target.exec([
    "runuser",
    "-u",
    "postgres",
    "--",
    ...baseBackup(dataFolder, addresses.source),
    "-R",
  ]);
  await site.startPostgres("target", open.settings, open.access);
}

/** The command line that makes a base backup over plain TCP. */
export const baseBackup = (folder: string, from: string) => [
  `${binFolder}/pg_basebackup`,
  ...[
    "-D",
    folder,
    "-X",
    "stream",
    "-c",
    "fast",
    "--no-sync",
    "-d",
    `host=${from} user=${role} sslmode=disable`,
  ],
];
