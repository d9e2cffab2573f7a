import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { jobClasses } from "../../rehearsal/mastodon/app/jobs";
import { type Attachment, keys } from "../../rehearsal/mastodon/app/paths";
import { bundle } from "../../rehearsal/mastodon/bundle";
import { environmentFile } from "../../rehearsal/mastodon/environment";
import { nginxSite } from "../../rehearsal/mastodon/nginx";
import { makeSecrets } from "../../rehearsal/mastodon/secrets";
import { unsalvageable } from "../../rehearsal/mastodon/sidekiq/jobs/delivery";
import { defaultQueues } from "../../rehearsal/mastodon/sidekiq/options";
import { delay } from "../../rehearsal/mastodon/sidekiq/retry";
import { commands } from "../../rehearsal/mastodon/tootctl/commands";
import { units } from "../../rehearsal/mastodon/units";
import * as facts from "./facts";
import { paths } from "./path-facts";

const has = (text: string, line: string) => text.split("\n").some((l) => l.trim() === line);

describe("the stand-in keeps to the facts", () => {
  const own = units(true);
  for (const f of facts.unitLines)
    test(`${f.fact} (${f.source})`, () => assert.ok(has(own[f.unit] ?? "", f.line)));
  test("jemalloc is preloaded where it is installed", () => {
    assert.match(own["mastodon-web.service"] ?? "", /LD_PRELOAD=libjemalloc\.so"/);
    assert.doesNotMatch(units(false)["mastodon-web.service"] ?? "", /LD_PRELOAD/);
  });
  const site = nginxSite("social.example", { root: "/home/mastodon/live/public" });
  for (const f of facts.siteLines) test(`${f.fact} (${f.source})`, () => assert.ok(has(site, f.line)));
  for (const f of facts.toolOptions)
    test(`${f.fact} (${f.source})`, () => {
      const options = Object.entries(commands[f.command]?.options ?? {});
      const shown = options.map(([name, o]) => ("default" in o && o.default ? `${name}=${o.default}` : name));
      assert.deepEqual(shown.sort(), [...f.options].sort());
    });
  for (const f of paths)
    test(`${f.fact} (${f.source})`, () =>
      assert.deepEqual(keys(f.attachment as Attachment, f.type, f, f.var), f.keys));
  test(`${facts.queues.fact} (${facts.queues.source})`, () =>
    assert.deepEqual(defaultQueues, facts.queues.weights));
  for (const f of facts.answers)
    test(`${f.fact} (${f.source})`, () => assert.equal(unsalvageable(f.status), f.final));
  test("a delivery is tried 16 times, over some two and a half days, and does not end among the dead", () => {
    assert.deepEqual(jobClasses["ActivityPub::DeliveryWorker"], { queue: "push", retry: 16, dead: false });
    const seconds = Array.from({ length: 16 }, (_, n) => delay(n)).reduce((a, b) => a + b);
    assert.ok(seconds > 2 * 86_400 && seconds < 3.2 * 86_400, `${seconds} s`);
  });
});

describe("programs refuse what the real ones refuse", () => {
  let dir: string;
  before(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), "mastodon-"));
    for (const entry of ["web/main.ts", "sidekiq/main.ts", "tootctl/main.ts", "rails.ts"])
      writeFileSync(path.join(dir, entry.replace("/main", "").replace(".ts", ".js")), await bundle(entry));
    writeFileSync(path.join(dir, ".env.production"), environmentFile("social.example", makeSecrets(), {}));
  });
  after(() => rmSync(dir, { recursive: true }));

  const run = (program: string, args: string[], environment: Record<string, string> = {}) => {
    const env = { PATH: process.env.PATH, RAILS_ENV: "production", DB_HOST: "/nowhere", ...environment };
    const { status, stderr } = spawnSync(process.execPath, [`${program}.js`, ...args], {
      cwd: dir,
      env,
      encoding: "utf8",
      timeout: 120_000,
    });
    return { status, stderr };
  };

  for (const f of facts.refusals)
    test(`${f.fact} (${f.source})`, () => {
      for (const [program, args] of [
        ["web", ["-C", "config/puma.rb"]],
        ["sidekiq", []],
        ["tootctl", ["version"]],
      ] as const) {
        const { status, stderr } = run(program, [...args], f.environment);
        assert.equal(status, 1, `${program}: ${stderr}`);
        assert.match(stderr, f.says);
      }
    });

  const unknown: [string, string[]][] = [
    ["tootctl", ["db", "migrate"]],
    ["tootctl", ["media", "remove", "--older-than", "7"]],
    ["tootctl", ["media", "remove", "--days", "soon"]],
    ["tootctl", ["media", "usage", "--json"]],
    ["tootctl", ["feeds"]],
    ["sidekiq", ["--queues", "push"]],
    ["web", ["-p", "3000"]],
    ["rails", ["runner", "puts 1"]],
    ["rails", ["mastodon:setup"]],
  ];
  for (const [program, args] of unknown)
    test(`${program} ${args.join(" ")} is an error`, () => assert.equal(run(program, args).status, 1));
});
