/** Sources as real admins have them, several of their ways at once, each moved whole; one goes back again. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey } from "../../rehearsal/journey";
import { watchJobs } from "../../rehearsal/judge";
import { run } from "../../rehearsal/lab/run";
import { cdn, domain, sourceAddress } from "../../rehearsal/names";
import type { Ledger } from "../../rehearsal/report/model";
import { combined } from "../../rehearsal/sources";
import { Timeline } from "../../rehearsal/timeline";
import { World } from "../../rehearsal/world";

const minutes = 60_000;
const web = `mastodon.${domain}`;

interface Look {
  world: World;
  /** Status line, headers and body of what a server answers to a client at an address. */
  ask(url: string, o: { at: string; from?: string; headers?: string[] }): Promise<string>;
}

/** Moves a world of such a source to the end of `switch` and draws up the ledger; `looks` are at their phase. */
function moves(
  names: string[],
  o: { back?: boolean; preview?: RegExp[]; looks: Record<string, (l: Look) => Promise<void>> },
): void {
  describe(names.join(", "), { timeout: 25 * minutes }, () => {
    let world: World;
    let journey: Journey;
    const timeline = new Timeline();
    const say = (line: string) => process.stderr.write(`# ${line}\n`);

    before(async () => {
      const source = combined(names);
      world = await World.build({
        ...{ rttMs: 10, rate: 5, size: "small", source, log: say },
        onEvent: (e) => timeline.take(e),
      });
      await world.open();
      await watchJobs(world.source, world.place());
      journey = new Journey(world, timeline, say);
    });
    after(async () => world?.stop());

    test("the preview has no doubts, and says what is special", async () => {
      const { ok, output } = await world.stack.preview(["-c", "phase=settle"]).done;
      assert.ok(ok, output);
      assert.doesNotMatch(output, /^\s+(error|warning) [a-z-]+: /m);
      for (const said of o.preview ?? []) assert.match(output, said);
    });

    for (const phase of ["prepare", "shift", "switch"]) {
      test(`up to ${phase}`, async () => {
        await journey.to(phase);
        assert.deepEqual(journey.broken, []);
      });
      const look = o.looks[phase];
      if (look) test(`what is special in ${phase}`, () => look({ world, ask: asking(world) }));
    }

    test("the ledger: nothing lost, nothing twice, nobody noticed", () => balanced("target"));

    if (!o.back) return;
    test("back to replicate", async () => {
      await world.resume();
      await journey.to("replicate");
      assert.deepEqual(journey.broken, []);
    });
    test("the ledger after the way back", () => balanced("source"));

    async function balanced(truth: "source" | "target"): Promise<void> {
      const books: Ledger = await journey.audit(truth);
      assert.deepEqual([...books.findings, ...journey.broken], []);
      for (const [kind, n] of Object.entries(books.acknowledged))
        assert.ok(n > 0, `no ${kind} to account for`);
      const [people, remotes] = await world.stats();
      assert.equal(people.failed, 0, `failed requests: ${JSON.stringify(people.failures)}`);
      assert.equal(remotes.dropped, 0);
      assert.ok(
        people.streams.events > 0 && people.streams.connected === people.streams.clients,
        "streams are away",
      );
    }
  });
}

function asking(world: World): Look["ask"] {
  return async (url, { at, from, headers = [] }) => {
    const { hostname } = new URL(url);
    const who = from ? ["--interface", from] : [];
    const what = headers.flatMap((h) => ["--header", h]);
    const how = [
      "--silent",
      "--include",
      "--max-time",
      "20",
      "--noproxy",
      "*",
      "--cacert",
      world.lab.ca.certPath,
    ];
    const { stdout } = await run([
      "curl",
      ...how,
      ...who,
      ...what,
      "--resolve",
      `${hostname}:443:${at}`,
      url,
    ]);
    return stdout.replaceAll("\r", "");
  };
}

/** Addresses that the app counted requests of: it knows its clients by them. */
async function counted(world: World): Promise<string> {
  const redis = (world.place().redis ?? []).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const { stdout } = await world.source.sh(`${redis} --scan --pattern '*throttle_unauthenticated_api*'`);
  return stdout;
}

moves(
  [
    "pgbouncer",
    "cluster",
    "redis-acl",
    "web-domain",
    "neighbour",
    "cdn",
    "extras",
    "spread",
    "sudo",
    "dns-hetzner",
  ],
  {
    back: true,
    preview: [/other-sites[\s\S]*shop\.example/, /source-pooler[\s\S]*6432[\s\S]*5433/],
    looks: {
      async shift({ world, ask }) {
        for (const at of [sourceAddress, world.target().address]) {
          const finger = await ask(`https://${domain}/.well-known/webfinger?resource=acct:a@${domain}`, {
            at,
          });
          assert.match(finger, new RegExp(`301[\\s\\S]*access-control-allow-origin: \\*`, "i"), at);
          assert.match(
            finger,
            new RegExp(`location: https://${web}/.well-known/webfinger\\?resource`, "i"),
            at,
          );
          assert.match(await ask(`https://${web}/.well-known/matrix/server`, { at }), /m\.server/, at);
          assert.match(await ask(`https://${web}/donate`, { at }), /302[\s\S]*donate\.example/, at);
          assert.match(await ask(`https://${web}/xmlrpc.php`, { at }), / 404[\s\S]*x-frame-options/i, at);
        }
        assert.match(await ask("https://shop.example/", { at: sourceAddress }), / 200[\s\S]*shop/);
        await knowsClients({ world, ask });
      },
      async switch({ world }) {
        const collation = `runuser -u postgres -- psql -XAtqc "SELECT datcollate FROM pg_database WHERE datname = 'mastodon_production'"`;
        assert.match((await world.target().sh(collation)).stdout, /sv_SE/);
        for (const name of [web, domain])
          assert.equal(world.clouds.api.records(name, "A")[0]?.content, world.target().address);
      },
    },
  },
);

/** Through the source as proxy and straight: the CDN is believed, anybody else is not. */
async function knowsClients({ world, ask }: Look): Promise<void> {
  const url = `https://${web}/api/v2/instance`;
  for (const [i, at] of [sourceAddress, world.target().address].entries()) {
    await ask(url, { at, from: cdn, headers: [`CF-Connecting-IP: 203.0.113.${i + 1}`] });
    await ask(url, { at, from: `198.18.2.14${i}`, headers: [`CF-Connecting-IP: 203.0.113.${i + 101}`] });
    await ask(url, { at, from: `198.18.2.15${i}`, headers: [`X-Forwarded-For: 203.0.113.${i + 201}`] });
  }
  const known = await counted(world);
  for (const client of [
    "203.0.113.1",
    "203.0.113.2",
    "198.18.2.140",
    "198.18.2.141",
    "198.18.2.150",
    "198.18.2.151",
  ])
    assert.match(
      known,
      new RegExp(`:${client.replaceAll(".", "\\.")}$`, "m"),
      `the app does not know ${client}`,
    );
  assert.doesNotMatch(known, /203\.0\.113\.\d{3}/, "the app believed somebody who is not the CDN");
}

moves(["url", "redis-url", "place", "media-disk", "units", "conf-d", "vultr"], {
  preview: [/custom-units[\s\S]*toots-from-afar/],
  looks: {
    async shift({ world }) {
      const units =
        "mastodon-sidekiq-default mastodon-sidekiq-scheduler toots-from-afar mastodon-streaming@4000 mastodon-streaming@4001";
      assert.match((await world.target().sh(`systemctl is-active ${units}`)).stdout, /^(active\n){5}$/);
      // The unit's own 8, times what the distance makes of them.
      const set = await world
        .target()
        .sh("systemctl show -P Environment mastodon-web; stat -c %U /mnt/media /srv/mastodon");
      assert.match(set.stdout, /MAX_THREADS=(16|24|32|40)\b[^]*toot\ntoot/);
    },
  },
});

moves(["tcp", "redis-socket", "classic", "media-link", "existing", "dns-none"], {
  looks: {
    async switch({ world }) {
      const link = await world
        .target()
        .sh("readlink /home/mastodon/live/public/system; systemctl is-active mastodon-streaming");
      assert.equal(link.stdout, "/mnt/volume/system\nactive\n");
      assert.equal(world.clouds.api.records(domain, "A")[0]?.content, world.target().address);
    },
  },
});
