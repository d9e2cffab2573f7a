/** What says where the app's processes listen, besides what is carried. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const scripts = path.join(__dirname, "../../scripts");

function python(script: string, given: unknown): unknown {
  const env = {
    ...process.env,
    PYTHONPATH: `${scripts}/survey:${scripts}/lib`,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const text = `import json, sys; given = json.loads(sys.argv[1]); ${script}`;
  return JSON.parse(
    execFileSync("python3", ["-c", text, JSON.stringify(given)], { env, encoding: "utf8" }),
  ) as unknown;
}

interface World {
  kind?: string;
  name?: string;
  start?: string;
  environment?: string;
  env?: Record<string, string>;
  heard?: string[];
}

const streaming = {
  kind: "streaming",
  name: "mastodon-streaming@4000.service",
  start: "/usr/bin/node ./streaming",
  environment: "NODE_ENV=production PORT=4000",
};

/** `LINE -> INSTEAD` of what is told of one unit. */
function told(world: World): string[] {
  const { kind = "web", name = "mastodon-web.service", env = {}, heard = [] } = world;
  const { start = "bundle exec puma -C config/puma.rb", environment = "RAILS_ENV=production PORT=3000" } =
    world;
  const shown = `{ path=/x ; argv[]=${start} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }`;
  const unit = { Id: name, ExecStart: shown, Environment: environment, ActiveState: "active" };
  const said = python(
    "import listening; print(json.dumps(listening.otherwise(given['kind'], given['unit'], given['env'], given['heard'])))",
    { kind, unit, env, heard: { [name]: heard } },
  ) as { line: string; instead: string }[];
  return said.map((l) => `${l.line} -> ${l.instead}`);
}

test("a unit that says its port or socket by Environment= is carried: nothing is told", () => {
  const usual = told({ heard: ["127.0.0.1:3000"] });
  const own = told({ environment: "PORT=3001 BIND=0.0.0.0", heard: ["0.0.0.0:3001", "127.0.0.1:9394"] });
  const socket = told({ environment: '"SOCKET=/run/m/web.sock"', heard: ["unix:/run/m/web.sock"] });
  const booting = told({ environment: "PORT=3001" });
  const dual = told({ ...streaming, heard: ["*:4000"] });
  // A template's instance is its port; and puma has listened before it reads .env.production.
  const instance = told({ ...streaming, environment: "", heard: ["127.0.0.1:4000"] });
  const dotenv = told({ env: { PORT: "3001", SOCKET: "/x", BIND: "10.0.0.1" } });
  const shim = told({ ...streaming, start: "/bin/echo nothing", env: { PORT: "1" } });
  const variable = told({ start: "bundle exec rails s -p $PORT -b 0.0.0.0" });
  assert.deepEqual([usual, own, socket, booting, dual, instance, dotenv, shim, variable], Array(9).fill([]));
});

test("options of the command win over the variables, and are told with the variable that says the same", () => {
  const started = (start: string) => told({ start });
  const say = (line: string, variable: string) => [`${line} in ExecStart= -> Environment=${variable}`];
  assert.deepEqual(started("bundle exec puma -C config/puma.rb -p 3001"), say("-p 3001", "PORT=3001"));
  assert.deepEqual(started("bundle exec puma --port=3001"), say("--port 3001", "PORT=3001"));
  assert.deepEqual(
    started("bundle exec puma -b tcp://127.0.0.1:3001"),
    say("-b tcp://127.0.0.1:3001", "PORT=3001"),
  );
  assert.deepEqual(
    started('/bin/bash -lc "exec bundle exec puma -b unix:///run/m/web.sock?umask=0111"'),
    say("-b unix:///run/m/web.sock?umask=0111", "SOCKET=/run/m/web.sock"),
  );
  assert.deepEqual(
    started("/usr/bin/env PORT=3001 bundle exec puma -C config/puma.rb"),
    say("PORT=3001", "PORT=3001"),
  );
  assert.deepEqual(started("bundle exec rails server -b 10.0.0.5"), say("-b 10.0.0.5", "PORT=3000"));
});

test("an address of its own, a streaming socket, and what streaming reads from .env.production are told", () => {
  assert.deepEqual(told({ environment: "PORT=3000 BIND=10.0.0.5" }), [
    "BIND=10.0.0.5 in Environment= -> Environment=BIND=127.0.0.1",
  ]);
  assert.deepEqual(told({ ...streaming, environment: "PORT=4000 SOCKET=/run/s" }), [
    "SOCKET=/run/s in Environment= -> Environment=PORT=4000",
  ]);
  assert.deepEqual(told({ ...streaming, env: { PORT: "4009", SOCKET: "/run/s", BIND: "10.0.0.5" } }), [
    "SOCKET=/run/s in .env.production -> Environment=PORT=4000",
    "BIND=10.0.0.5 in .env.production -> Environment=BIND=127.0.0.1",
  ]);
});

test("a process that listens elsewhere than its unit says is heard", () => {
  const line = (where: string) => `listens on ${where}, which its Environment= does not say`;
  assert.deepEqual(told({ heard: ["127.0.0.1:3005"] }), [
    `${line("127.0.0.1:3005")} -> Environment=PORT=3005`,
  ]);
  assert.deepEqual(told({ heard: ["10.0.0.5:3000"] }), [`${line("10.0.0.5:3000")} -> Environment=PORT=3000`]);
  assert.deepEqual(told({ environment: "SOCKET=/run/a", heard: ["unix:/run/b"] }), [
    `${line("unix:/run/b")} -> Environment=PORT=3000`,
  ]);
});
