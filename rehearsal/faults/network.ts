import { outside } from "../lab";
import { type Fault, type FaultContext, holds, stepStarts, switchoverTakes } from "./fault";

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
/** Ends what serves the admin's connections; a cut network alone is only noticed by who sends something. */
const hangUp = `ss -Hntp state established '( sport = :22 )' dst ${outside} | grep -o 'pid=[0-9]*' | cut -d= -f2 |
  sort -u | xargs -r kill -KILL`;

/** Cut as the old primary is shut down, between the two servers or between the admin and the new one. */
function inSwitch(title: string, way: "tunnel" | "operator", how: "drop" | "reset"): Fault {
  return {
    title,
    phase: "switch",
    eitherWay: true,
    async strike(c) {
      await switchoverTakes(c, "fence");
      const heal = await (way === "tunnel"
        ? c.lab.cut(c.source, c.target(), how)
        : c.lab.cut(outside, c.target(), how, 22));
      await pause(10);
      await heal();
    },
  };
}

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
  "cut-switch": inSwitch("the tunnel's connections reset in the pause of the switchover", "tunnel", "reset"),
  "drop-switch": inSwitch("the tunnel's packets silently dropped in the pause", "tunnel", "drop"),
  "cut-operator": {
    title: "the admin's own connection to the new server ended in the switchover",
    phase: "switch",
    eitherWay: true,
    fails: "must",
    async strike(c) {
      await switchoverTakes(c, "fence");
      await c.target().sh(hangUp);
    },
  },
  "drop-operator": inSwitch("the admin's packets silently dropped in the switchover", "operator", "drop"),
};
