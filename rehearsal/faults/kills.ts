import { readFileSync } from "node:fs";
import path from "node:path";
import { type Fault, stepStarts, switchoverTakes } from "./fault";

/** `pulumi up`, its plugins and its program all killed at once, as when a laptop dies. */
export function upKilled(phase: Fault["phase"], step: string): Fault {
  return {
    title: `pulumi up killed (-9) in ${phase}, at ${step}`,
    phase,
    eitherWay: phase === "switch",
    fails: "must",
    async strike(c) {
      await stepStarts(c, step);
      c.run.kill();
    },
  };
}

/** The same as the switchover takes step n; the unit that carries it out lives on. */
function upKilledAt(n: number): Fault {
  return {
    title: `pulumi up killed (-9) at step ${n} of the switchover`,
    phase: "switch",
    eitherWay: true,
    fails: "must",
    async strike(c) {
      await switchoverTakes(c, n);
      c.run.kill();
    },
  };
}

/** Killed when the cloud has begun to make the server, which the stack then knows nothing of. */
const serverLeft: Fault = {
  title: "pulumi up killed (-9) in prepare, while the cloud makes the server",
  phase: "prepare",
  fails: "must",
  async strike(c) {
    await stepStarts(c, "server-server");
    for (const end = Date.now() + 60_000; c.clouds.api.state.servers.length === 0;) {
      if (Date.now() > end) throw new Error("waited 60 s for the cloud to begin to make the server");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    c.run.kill();
    await c.run.done;
    // It boots all the same.
    for (const end = Date.now() + 60_000; !c.lab.hosts().some((h) => h !== c.source && h.running());) {
      if (Date.now() > end) throw new Error("waited 60 s for the cloud to boot the server that was left");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
};

/** Steps of scripts/switchover/switchover.py, and the one from which on there is no way but forward. */
const switchoverSteps = 14;
const noReturn = 8;

/** The unit that carries out the switchover killed as its journal shows step n, before it does what it announced. */
function switchoverKilled(n: number): Fault {
  return {
    title: `the switchover killed (-9) at its step ${n}`,
    phase: "switch",
    eitherWay: true,
    fails: n < noReturn ? "must" : "no",
    says: new RegExp(`the last run ended in step ${n}`),
    async before(c) {
      const target = c.target();
      await target.put(`${killer}/sitecustomize.py`, readFileSync(path.join(__dirname, "killer.py"), "utf8"));
      await target.put(`${killer}/at`, `${n} 0`);
      await target.put(dropIn, `[Service]\nEnvironment=PYTHONPATH=${killer}\n`);
      await target.sh("systemctl daemon-reload");
    },
    async strike(c) {
      await c.run.done;
      const left = await c
        .target()
        .sh(`ls ${killer}/at; rm -rf ${killer} ${dropIn}; systemctl daemon-reload`, {
          allowFail: true,
        });
      if (left.stdout.trim()) throw new Error(`it never came to step ${n}`);
    },
  };
}

const killer = "/root/killer";
const dropIn = "/etc/systemd/system/trunkline-switchover.service.d/killer.conf";

export const kills: Record<string, Fault> = {
  "kill-up-server": serverLeft,
  "kill-up-prepare": upKilled("prepare", "app/tree"),
  "kill-up-replicate": upKilled("replicate", "database/standby"),
  "kill-up-shift": upKilled("shift", "web/proxy"),
  "kill-up-switch": upKilled("switch", "switchover/run"),
  "kill-up-settle": upKilled("settle", "backup/run"),
};
for (let n = 1; n <= switchoverSteps; n++) kills[`kill-up-switchover-${n}`] = upKilledAt(n);
for (let n = 1; n <= switchoverSteps; n++) kills[`kill-switchover-${n}`] = switchoverKilled(n);
