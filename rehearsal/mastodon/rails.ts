import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { BootError, loadRails, main, SCHEMA_VERSION } from "./app/config";
import type { Row } from "./app/database";
import { connect, disconnect } from "./app/instance";

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Packs what yarn has installed, and last of all makes the page of the error 500. */
function precompile(): void {
  if (!existsSync("node_modules"))
    throw new BootError("vite: command failed: node_modules is missing. Run `yarn install` first");
  for (const folder of ["packs", "assets"]) mkdirSync(`public/${folder}`, { recursive: true });
  writeFileSync("public/packs/manifest.json", '{"application.js": "/packs/application-1a2b3c4d.js"}\n');
  writeFileSync("public/packs/application-1a2b3c4d.js", "console.log('mastodon');\n");
  writeFileSync(
    "public/assets/500.html",
    "<!DOCTYPE html><title>Error</title><h1>Something went wrong here</h1>\n",
  );
  say("2 files packed");
}

/** The tasks of `bin/rails` that the stand-in has; anything else it refuses, `runner` and `console` included. */
main(async () => {
  const [task = "", ...rest] = process.argv.slice(2).filter((a) => a !== "-s");
  const config = loadRails();
  if (task === "assets:precompile") return precompile();
  if (rest.length || !/^db:(migrate:status|abort_if_pending_migrations|migrate|version)$/.test(task))
    throw new BootError(
      `Unrecognized command ${JSON.stringify([task, ...rest].join(" "))} (the stand-in has no such task)`,
    );
  const instance = connect(config, { title: "rails", pool: 1 });
  try {
    const rows = await instance.db.rows<Row & { version: string }>(
      "SELECT version FROM schema_migrations ORDER BY version",
    );
    const last = rows.at(-1)?.version ?? "0";
    if (task === "db:version") say(`Current version: ${last}`);
    if (task === "db:migrate:status") for (const { version } of rows) say(`   up     ${version}`);
    if (last < SCHEMA_VERSION)
      throw new BootError(
        `Migrations are pending. To resolve this issue, run: bin/rails db:migrate (schema is ${last})`,
      );
  } finally {
    await disconnect(instance);
  }
});
