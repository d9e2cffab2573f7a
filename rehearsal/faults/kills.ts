import { type Fault, stepStarts, switchoverSays } from "./fault";

/** `pulumi up`, its plugins and its program all killed at once, as when a laptop dies. */
export function upKilled(phase: Fault["phase"], step: string): Fault {
  return {
    title: `pulumi up killed (-9) in ${phase}, at ${step}`,
    phase,
    fails: "must",
    async strike(c) {
      await stepStarts(c, step);
      c.run.kill();
    },
  };
}

/** The unit that carries out the switchover killed as its journal shows step n. */
function switchoverKilled(n: number): Fault {
  return {
    title: `the switchover killed (-9) at its step ${n}`,
    phase: "switch",
    fails: "may",
    async strike(c) {
      await switchoverSays(c, `"n": ${n},`);
      await c.target().sh("systemctl kill -s KILL trunkline-switchover.service", { allowFail: true });
    },
  };
}

const switchoverSteps = 14;

export const kills: Record<string, Fault> = {
  "kill-up-prepare": upKilled("prepare", "app/tree"),
  "kill-up-replicate": upKilled("replicate", "database/standby"),
  "kill-up-shift": upKilled("shift", "web/proxy"),
  "kill-up-switch": upKilled("switch", "switchover/run"),
  "kill-up-settle": upKilled("settle", "backup/run"),
};
for (let n = 1; n <= switchoverSteps; n++) kills[`kill-switchover-${n}`] = switchoverKilled(n);
