import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { factsOf, missingFacts } from "../../survey/facts";
import { Instance } from "./instance";

let it: Instance;

before(async () => {
  it = await Instance.boot({ database: "tcp", redis: "password", environment: { EXTRA_ODD: `a "b" $c #d` } });
});
after(() => it.stop());

test("finds the whole installation, and every fact that the steps need", async () => {
  const raw = await it.survey("source");
  assert.deepEqual(raw.unread, []);
  assert.deepEqual(missingFacts(factsOf(raw)), []);
  assert.equal(raw.mastodon!.version.split(".").slice(0, 2).join("."), "4.5");
  assert.deepEqual(
    [raw.postgres!.role, raw.redis!.role, raw.nginx!.active, raw.redis!.requiresPassword],
    ["primary", "master", true, true],
  );
  assert.deepEqual(
    [raw.postgres!.unit, raw.redis!.unit],
    ["postgresql@15-main.service", "redis-server.service"],
  );
  assert.deepEqual([raw.postgres!.otherDatabases, raw.redis!.otherDatabases], [[], []]);
  assert.equal(raw.redis!.configFile, "/etc/redis/redis.conf");
  assert.deepEqual([raw.mastodon!.env.nearby, raw.mastodon!.env.shadows], [[], []]);
  assert.deepEqual([raw.nginx!.notCarried, raw.nginx!.alsoLead], [[], []]);
  assert.equal(raw.nginx!.workers.connections, 768);
  assert.equal(raw.postgres!.database!.collationVersion, raw.postgres!.database!.actualCollationVersion);
  assert.deepEqual(raw.mastodon!.units.sidekiq, [
    {
      ...{
        name: "mastodon-sidekiq.service",
        active: "active",
        enabled: "enabled",
        queues: [],
        custom: false,
      },
      ...{ program: "/home/mastodon/.rbenv/shims/bundle", environmentFiles: [], needs: [], listening: [] },
    },
  ]);
  const [certificate] = raw.nginx!.certificates;
  assert.deepEqual([certificate!.lineage, certificate!.renewal], ["social.example", "nginx"]);
  assert.deepEqual(
    [certificate!.exists, certificate!.matches, certificate!.names],
    [true, true, ["social.example"]],
  );
});

test("the rate of WAL is told for the roles that it is asked of", async () => {
  const rate = async (walRateOf?: string[]) =>
    (await it.survey("source", { walRateOf })).postgres!.walBytesPerSecond;
  assert.ok(Number.isInteger(await rate()) && Number.isInteger(await rate(["primary"])));
  assert.deepEqual([await rate(["standby"]), await rate([])], [null, null]);
});

test("counts media as they are on disk", async () => {
  const { media } = await it.survey("source");
  const found = await it.source.sh(
    `find ${media!.dir} -type f -printf '%s\\n' | awk '{ n++; b += $1 } END { print n, b }'`,
  );
  assert.equal(found.stdout.trim(), `${media!.files} ${media!.bytes}`);
});

test("tells no secret, only hashes that depend on the salt", async () => {
  const file = (await it.source.sh("cat /home/mastodon/live/.env.production")).stdout;
  const key = /^SECRET_KEY_BASE=(\S+)/m.exec(file)![1]!;
  const [one, same, other] = [
    await it.survey("source"),
    await it.survey("source"),
    await it.survey("source", { salt: "another salt, longer" }),
  ];
  assert.ok(!JSON.stringify(one).includes(key));
  for (const name of ["DB_PASS", "REDIS_PASSWORD", "SMTP_PASSWORD", "EXTRA_ODD"]) {
    assert.ok(one.mastodon!.env.keys.includes(name));
    assert.equal(one.mastodon!.env.values[name], undefined);
    assert.equal(one.mastodon!.env.hashes[name], same.mastodon!.env.hashes[name]);
    assert.notEqual(one.mastodon!.env.hashes[name], other.mastodon!.env.hashes[name]);
  }
});

test("leaves nothing behind", async () => {
  const look =
    "find / -xdev \\( -path /proc -o -path /var/log -o -path /run -o -path /tmp -o -path /var/lib/postgresql -o -path /var/lib/redis -o -path /home/mastodon/live \\) -prune -o -newer /root/mark -type f -print";
  await it.source.sh("touch /root/mark; sleep 0.1");
  await it.survey("source");
  assert.equal((await it.source.sh(look)).stdout, "");
});

test("an empty server is surveyed too", async () => {
  const raw = await it.survey("target", { peer: "198.18.0.10:22" });
  assert.deepEqual([raw.mastodon, raw.media, raw.redis], [null, null, null]);
  assert.ok(raw.peer!.rttMs! >= 0 && raw.host.login.root && raw.host.aes !== undefined);
});

test("a dead address is an answer, not a failure", async () => {
  const raw = await it.survey("target", { peer: "198.18.0.10:1" });
  assert.match(raw.peer!.error!, /refused/i);
});

test("tells where processes listen otherwise than their units say, and what else is not carried", async () => {
  const reload = (files: string, units = "") =>
    it.source.sh(`cd /etc/systemd/system; mkdir -p mastodon-web.service.d mastodon-streaming@4000.service.d
      ${files}
      systemctl daemon-reload; [ -z "${units}" ] || systemctl restart ${units}`);
  const listening = async () => {
    const { mastodon, unread } = await it.survey("source");
    assert.deepEqual(unread, []);
    const { web, streaming } = mastodon!.units;
    return [...web, ...streaming].flatMap((u) => u.listening.map((l) => `${u.name}: ${l.line}`));
  };
  const drop = (unit: string, line: string) => `printf '[Service]\\n${line}\\n' >${unit}.service.d/port.conf`;
  assert.deepEqual(await listening(), []);
  await reload(drop("mastodon-web", "Environment=PORT=3007"));
  assert.deepEqual(await listening(), [
    "mastodon-web.service: listens on 127.0.0.1:3000, which its Environment= does not say",
  ]);
  await reload(
    drop("mastodon-streaming@4000", "Environment=PORT=4005"),
    "mastodon-web mastodon-streaming@4000",
  );
  await it.source.sh(
    `for port in 3007 4005; do until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.1; done; done`,
  );
  assert.deepEqual(await listening(), []);
  const asked = `set -e; . /opt/trunkline/scripts/lib/app.sh
    WEB_UNITS=mastodon-web.service STREAMING_UNITS='mastodon-streaming.service mastodon-streaming@4000.service'
    web_address; streaming_addresses`;
  assert.equal((await it.source.sh(asked)).stdout, "127.0.0.1:3007\n127.0.0.1:4005\n");
  await reload(
    `${drop("mastodon-web", "EnvironmentFile=/home/mastodon/live/.env.web")}
    rm mastodon-streaming@4000.service.d/port.conf
    echo PORT=3000 >/home/mastodon/live/.env.web`,
    "mastodon-web mastodon-streaming@4000",
  );
  assert.deepEqual(await listening(), [
    "mastodon-web.service: PORT=3000 in /home/mastodon/live/.env.web (EnvironmentFile=)",
  ]);
  await reload("rm -r mastodon-web.service.d/port.conf /home/mastodon/live/.env.web", "mastodon-web");

  await it.source.sh(`
    mkdir -p /etc/tor; echo 'HiddenServiceDir /var/lib/tor/mastodon/' >/etc/tor/torrc
    echo 'server { listen 127.0.0.1:8080; server_name abc.onion; location / { proxy_pass http://127.0.0.1:3000; } }' >/etc/nginx/conf.d/onion.conf
    mkdir -p /etc/cron.d; echo '5 3 * * * mastodon cd live && RAILS_ENV=production bin/tootctl media remove --days 7' >/etc/cron.d/toots
    mkdir -p /var/spool/cron/crontabs; echo '0 4 * * * pg_dump -Fc mastodon_production >/srv/dump' >/var/spool/cron/crontabs/postgres
    cd /etc/systemd/system
    printf '[Service]\\nUser=mastodon\\nExecStart=/bin/true\\n' >tidy.service
    printf '[Timer]\\nOnCalendar=daily\\n' >tidy.timer
    systemctl daemon-reload; systemctl start tidy.timer`);
  const { mastodon, nginx, unread } = await it.survey("source");
  assert.deepEqual(unread, []);
  assert.deepEqual(mastodon!.beside, {
    onion: ["the name abc.onion", "HiddenServiceDir /var/lib/tor/mastodon/ in /etc/tor/torrc"],
    jobs: ["tootctl media remove in /etc/cron.d/toots", "tidy.timer"],
    backups: ["pg_dump in /var/spool/cron/crontabs/postgres"],
    listening: [],
  });
  assert.deepEqual([nginx!.names, nginx!.others], [["social.example"], []]);
  await it.source.sh(`systemctl stop tidy.timer
    rm /etc/systemd/system/tidy.* /etc/cron.d/toots /var/spool/cron/crontabs/postgres /etc/nginx/conf.d/onion.conf /etc/tor/torrc; systemctl daemon-reload`);
});

test("sees what admins do: own units, foreign slots, unlogged tables, other databases, a missing mount", async () => {
  const sql = (text: string) =>
    it.source.exec(["runuser", "-u", "postgres", "--", "psql", "-qd", "mastodon_production", "-c", text]);
  await it.source.sh(`
    cd /etc/systemd/system
    sed 's/sidekiq -c 25/sidekiq -c 5 -q ingress -q push,4/' mastodon-sidekiq.service >federation.service
    systemctl daemon-reload; systemctl start federation
    echo '/dev/none /home/mastodon/live/public/system/cache ext4 noauto 0 0' >>/etc/fstab
    systemctl stop nginx`);
  await sql("CREATE UNLOGGED TABLE fast (a int)");
  await sql("CREATE DATABASE wiki");
  await sql("SELECT pg_create_physical_replication_slot('foreign_one')");
  const raw = await it.survey("source");
  const own = raw.mastodon!.units.sidekiq.find((u) => u.name === "federation.service");
  assert.deepEqual([own!.custom, own!.queues], [true, ["ingress", "push"]]);
  assert.deepEqual(raw.postgres!.unlogged, ["public.fast"]);
  assert.deepEqual(raw.postgres!.slots, [
    { name: "foreign_one", type: "physical", active: false, walStatus: null },
  ]);
  assert.deepEqual(raw.postgres!.otherDatabases, ["wiki"]);
  assert.equal(raw.nginx!.active, false);
});

test("a Postgres or a Redis that is down is told, and the rest is there", async () => {
  await it.source.sh("systemctl stop redis-server postgresql@15-main");
  const raw = await it.survey("source");
  assert.deepEqual([raw.postgres!.role, raw.redis!.role, raw.postgres!.port], ["down", "down", 5432]);
  assert.ok(raw.mastodon!.env.keys.length > 10);
});

test("what is on its way up is told as such, and what is really down is not", async () => {
  assert.deepEqual((await it.survey("source")).starting, []); // both are down
  const units = ["postgresql@15-main.service", "redis-server.service"];
  const slowly = units.map(
    (u) => `mkdir -p /run/systemd/system/${u}.d
    printf '[Service]\\nExecStartPre=/bin/sleep infinity\\n' >/run/systemd/system/${u}.d/slow.conf`,
  );
  await it.source.sh(
    `${slowly.join("\n")}\nsystemctl daemon-reload; systemctl start --no-block ${units.join(" ")}
    for unit in ${units.join(" ")}; do
      for _ in {1..100}; do [[ "$(systemctl show -P ActiveState "$unit")" != activating ]] || break; sleep 0.1; done
    done`,
  );
  assert.deepEqual((await it.survey("source")).starting.sort(), ["Postgres 15/main", "Redis"]);
  const gone = units.map((u) => `rm -r /run/systemd/system/${u}.d`).join("\n");
  await it.source.sh(
    `systemctl stop ${units.join(" ")}\n${gone}\nsystemctl daemon-reload; systemctl start ${units.join(" ")}`,
  );
  const { starting, postgres, redis } = await it.survey("source");
  assert.deepEqual([starting, postgres!.role, redis!.role], [[], "primary", "master"]);
});
