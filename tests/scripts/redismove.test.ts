import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Lab, type LabHost } from "../../rehearsal/lab";

const root = path.join(__dirname, "../..");
let lab: Lab;
let host: LabHost;

before(async () => {
  lab = await Lab.start();
  host = await lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys: [] });
  const archive = execFileSync("tar", ["-C", root, "-cz", "scripts"], { maxBuffer: 64 << 20 });
  await host.sh("mkdir -p /opt/trunkline && base64 -d | tar -C /opt/trunkline -xz", {
    input: archive.toString("base64"),
  });
  for (const name of ["redismove.py", "redishold.py"])
    await host.put(`/root/${name}`, readFileSync(path.join(__dirname, name), "utf8"));
});
after(() => lab.stop());

interface Outcome {
  refused: string | null;
  old: string;
  new: string;
  acknowledged: number;
  lost: number;
}

async function move(accident: "late" | "torn"): Promise<Outcome> {
  const { stdout } = await host.sh(`python3 -B /root/redismove.py ${accident}`);
  return JSON.parse(stdout) as Outcome;
}

test("a pause whose lease has run out before the fence loses nothing", async () => {
  const outcome = await move("late");
  assert.ok(outcome.acknowledged > 100, `${outcome.acknowledged} writes`);
  assert.deepEqual([outcome.refused, outcome.old, outcome.new, outcome.lost], [null, "slave", "master", 0]);
});

test("without the proof that the new Redis has all, it is not promoted, and the old one is the primary again", async () => {
  const outcome = await move("torn");
  assert.match(outcome.refused ?? "", /Redis on target lacks what source wrote last: .* the primary again/);
  assert.deepEqual([outcome.old, outcome.new, outcome.lost], ["master", "slave", 0]);
});

test("killed between fence and flip, who comes to Redis waits for the one that finishes it, and is told nothing else", async () => {
  await host.sh(`
    set -Eeuo pipefail
    shopt -s lastpipe
    scripts=/opt/trunkline/scripts
    . $scripts/lib.sh
    prepare_state
    . $scripts/pooler/up.sh
    . $scripts/switchover/run.sh
    side=source
    haproxy_files
    systemctl restart haproxy
    controller=(/usr/bin/python3 -B /root/redishold.py)
    stand_guard`);
  const { stdout } = await host.sh("python3 -B /root/redishold.py watch");
  const readonly = "proxy: READONLY You can't write against a read only replica.";
  assert.deepEqual(JSON.parse(stdout), {
    begun: [1, 2, 3],
    fenced: [readonly, readonly, readonly],
    early: 0,
    answers: ["4", "5", "6", "7", "8"],
    jobs: ["before", "before", "before", "again", "again", "again", "again", "again"],
  });
});
