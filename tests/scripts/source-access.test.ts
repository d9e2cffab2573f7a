/** How the survey and the steps find the source's database and Redis behind what its admin has put before them. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { waitFor } from "../../rehearsal/lab/run";

const scripts = path.join(__dirname, "../../scripts");
const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-access-"));
const running: ChildProcess[] = [];
after(async () => {
  const ends = running.map((server) => new Promise((resolve) => server.once("exit", resolve)));
  for (const server of running) server.kill();
  await Promise.all(ends);
  rmSync(dir, { recursive: true });
});

/** What a piece of Python says that has the survey's modules. */
function python(text: string): unknown {
  const PYTHONPATH = ["survey", "lib"].map((folder) => path.join(scripts, folder)).join(":");
  return JSON.parse(
    execFileSync("python3", ["-B", "-c", `import json\n${text}`], {
      encoding: "utf8",
      env: { ...process.env, PYTHONPATH },
    }),
  );
}

test("PgBouncer's entry tells where the database really is, and under which names", () => {
  writeFileSync(
    path.join(dir, "more.ini"),
    "* = host=/var/run/postgresql port=5434\n[pgbouncer]\nlisten_port = 6432\n",
  );
  writeFileSync(
    path.join(dir, "pgbouncer.ini"),
    `;; ours\n[databases]\nsocial = host=127.0.0.1 port=5433 dbname='odd '' name' user=masto password=x\n%include ${dir}/more.ini\n`,
  );
  const behind = (name: string, port: number) =>
    python(`import pooled
pooled.INI = ${JSON.stringify(path.join(dir, "pgbouncer.ini"))}
print(json.dumps(pooled.behind({"host": "127.0.0.1", "port": ${port}, "name": ${JSON.stringify(name)}, "user": "m"})))`);
  assert.deepEqual(behind("social", 6432), {
    host: "127.0.0.1",
    port: 5433,
    name: "odd ' name",
    user: "masto",
  });
  assert.deepEqual(behind("other", 6432), {
    host: "/var/run/postgresql",
    port: 5434,
    name: "other",
    user: "m",
  });
  assert.equal(behind("social", 5432), null);
});

const password = `p@s s"#$`;
const quoted = password.replaceAll('"', '\\"');
const cli = (port: number, ...words: string[]) =>
  spawnSync("redis-cli", ["-p", String(port), "--no-auth-warning", ...words], { encoding: "utf8" }).stdout;

async function redis(port: number, lines: string): Promise<void> {
  const folder = mkdtempSync(path.join(dir, "redis-"));
  const conf = path.join(folder, "redis.conf");
  writeFileSync(conf, `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsave ""\n${lines}`);
  running.push(spawn("redis-server", [conf], { stdio: "ignore" }));
  await waitFor(
    `redis-server on ${port}`,
    20_000,
    async () => /PONG|NOAUTH/.test(cli(port, "PING")) || "no answer",
  );
}

test("Redis users go along, also where the default user is off; twice is once", async () => {
  await redis(27301, `user mastodon on ">${quoted}" ~* &* +@all\nuser default off\n`);
  await redis(27302, "");
  const settings = {
    want: "present",
    port: 27302,
    sourcePort: 27301,
    user: "mastodon",
    password,
    saved: `${dir}/saved`,
  };
  const follow = () =>
    spawnSync("python3", ["-B", path.join(scripts, "redis/replica.py")], {
      input: JSON.stringify(settings),
      encoding: "utf8",
    }).stdout;
  assert.match(follow(), /^changed \{"role": "slave"/);
  assert.match(follow(), /^unchanged /);
  assert.match(cli(27302, "PING"), /NOAUTH/);
  assert.match(cli(27302, "--user", "mastodon", "-a", password, "ROLE"), /^slave/);
});

test("the survey says which rights a Redis user lacks", () => {
  const seen = (user: string, secret: string) =>
    python(`import redis
seen = redis.redis({"side": "source"}, {"REDIS_PORT": "27301", "REDIS_USER": ${JSON.stringify(user)}, "REDIS_PASSWORD": ${JSON.stringify(secret)}})
print(json.dumps([seen["role"], seen["loopback"], seen["lacks"]]))`);
  cli(
    27301,
    "--user",
    "mastodon",
    "-a",
    password,
    "ACL",
    "SETUSER",
    "some",
    "on",
    ">x",
    "~*",
    "&*",
    "+@all",
    "-config",
    "-replicaof",
  );
  cli(27301, "--user", "mastodon", "-a", password, "ACL", "SETUSER", "few", "on", ">x", "~*", "+@read");
  assert.deepEqual(seen("mastodon", password), ["master", true, []]);
  assert.deepEqual(seen("some", "x"), [
    "master",
    true,
    ["config get", "config set", "config rewrite", "replicaof"],
  ]);
  assert.deepEqual(seen("few", "x"), ["down", false, ["info"]]);
});

test("a variable that can't be read is named, and what it says is not told", () => {
  const gap = (part: string, env: Record<string, string>) =>
    python(`import mastodon_env, probe
probe.look("it", mastodon_env.${part}, ${JSON.stringify(env)})
print(json.dumps([u["why"] for u in probe.unread]))`);
  for (const secret of ["secret#x", "1#x"]) {
    const url = `://mastodon:${secret}@localhost/0`;
    const why = "is not a URL that can be read: a # in its password has to be written as %23, and so on";
    assert.deepEqual(gap("database", { DATABASE_URL: `postgres${url}` }), [
      `ValueError: DATABASE_URL ${why}`,
    ]);
    assert.deepEqual(gap("redis_uses", { CACHE_REDIS_URL: `redis${url}` }), [
      `ValueError: CACHE_REDIS_URL ${why}`,
    ]);
  }
  assert.deepEqual(gap("database", { DB_PORT: "x" }), ["ValueError: DB_PORT is not a number"]);
  assert.deepEqual(gap("redis", { REDIS_DB: "x" }), ["ValueError: REDIS_DB is not a number"]);
  assert.deepEqual(gap("database", { DATABASE_URL: "postgres://m:p%23@localhost:5433/m" }), []);
});
