import { Lab } from "../../rehearsal/lab";

/** Boots one host of the name given, says so, and stays until it is ended: what enter.test.ts ends in every way. */
async function main(): Promise<void> {
  const lab = await Lab.start();
  const host = await lab.boot(process.argv[2] ?? "", {
    address: "198.18.0.10",
    side: "old",
    authorizedKeys: [],
  });
  await host.sh("systemd-run --quiet sleep infinity");
  console.log(`up ${lab.dir}`);
  setInterval(() => undefined, 60_000);
}

main().catch((e: Error) => {
  console.error(e);
  process.exit(1);
});
