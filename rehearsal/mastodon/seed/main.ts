import { BootError, loadRails, main } from "../app/config";
import type { Row } from "../app/database";
import { connect, disconnect, type Instance } from "../app/instance";
import { interactions, site, statuses } from "./content";
import { attachments, faces, things, type Written, write } from "./files";
import { follows, foundations, type Local, locals, remotes } from "./people";
import { fill } from "./redis";
import { amounts, type Size } from "./sizes";

/** What seeding made; the last line of its output. */
export interface Seeded {
  people: Local[];
  counts: Record<string, number>;
}

main(async () => {
  const size = amounts[process.argv[2] as Size];
  if (!size) throw new BootError(`seed: no size ${process.argv[2]}`);
  const config = loadRails();
  const i = connect(config, { title: "seed", pool: 1 });
  const timed = clock();
  await foundations(config, i.db);
  const people = await locals(config, i.db, size);
  await remotes(i.db, size);
  await follows(i.db);
  timed("people");
  await statuses(config, i.db, size);
  await interactions(i.db);
  await site(i.db);
  timed("posts");
  await attachments(i.db, size);
  await faces(i.db);
  await things(i.db, size);
  const written = await write(i);
  timed("files");
  for (const view of ["instances", "account_summaries", "global_follow_recommendations"])
    await i.db.rows(`REFRESH MATERIALIZED VIEW ${view}`);
  await i.db.rows("ANALYZE");
  await fill(i, people);
  timed("redis");
  process.stdout.write(JSON.stringify({ people, counts: await counts(i, written) } satisfies Seeded) + "\n");
  await disconnect(i);
});

async function counts(i: Instance, written: Written): Promise<Record<string, number>> {
  const row = await i.db.one<Row>(
    `SELECT (SELECT count(*) FROM accounts)::int AS accounts, (SELECT count(*) FROM users)::int AS users,
       (SELECT count(*) FROM statuses)::int AS statuses, (SELECT count(*) FROM media_attachments)::int AS "mediaAttachments",
       (SELECT count(*) FROM follows)::int AS follows, pg_database_size(current_database())::float8 AS "databaseBytes"`,
  );
  return { ...(row as Record<string, number>), ...written };
}

function clock(): (what: string) => void {
  let last = performance.now();
  return (what) => {
    const now = performance.now();
    process.stderr.write(`seed: ${what} ${((now - last) / 1000).toFixed(1)} s\n`);
    last = now;
  };
}
