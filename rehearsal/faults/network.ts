import { type Fault, type FaultContext, holds, stepStarts } from "./fault";

/** Cuts the way between the two servers at a moment, and heals it after some seconds. */
function cutBetween(title: string, phase: Fault["phase"], how: "drop" | "reset", moment: Moment): Fault {
  return {
    title,
    phase,
    fails: "may",
    async strike(c) {
      await moment(c);
      const heal = await c.lab.cut(c.source, c.target(), how);
      await pause(moment.seconds ?? 10);
      await heal();
    },
  };
}

interface Moment {
  (c: FaultContext): Promise<unknown>;
  /** How long the cut lasts, in seconds; a property of the fault, not a wait for something. */
  seconds?: number;
}

/** The length of an outage is what is being tested, so here, and only here, time is waited for. */
function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

const inBaseBackup: Moment = async (c) => {
  await stepStarts(c, "database/standby");
  await holds(c.target(), "pgrep -f '[p]g_basebackup' >/dev/null");
};
const whileStreaming: Moment = Object.assign((c: FaultContext) => stepStarts(c, "media/copy"), {
  seconds: 60,
});
const inSwitch: Moment = async (c) => {
  await stepStarts(c, "switchover/run");
  await holds(c.target(), "systemctl is-active -q trunkline-switchover.service");
};

export const network: Record<string, Fault> = {
  "cut-base-backup": cutBetween(
    "the connection reset in the base backup",
    "replicate",
    "reset",
    inBaseBackup,
  ),
  "drop-base-backup": cutBetween(
    "packets silently dropped in the base backup",
    "replicate",
    "drop",
    inBaseBackup,
  ),
  "tunnel-down": cutBetween(
    "the tunnel down for a minute while streaming",
    "replicate",
    "drop",
    whileStreaming,
  ),
  "cut-switch": cutBetween("the connection reset in the switchover", "switch", "reset", inSwitch),
  "drop-switch": cutBetween("packets silently dropped in the switchover", "switch", "drop", inSwitch),
};
