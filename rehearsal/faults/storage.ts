import { statfsSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/run";
import { type Fault, type FaultContext, stepStarts, switchoverTakes } from "./fault";

const filler = "var/lib/postgresql/filler";

/** Fills the new server's disk to the last block, from this side, since there is little time; it is removed to heal. */
async function fill(c: FaultContext): Promise<void> {
  const file = path.join(c.target().rootfs, filler);
  const { blocks, bavail, bsize } = statfsSync(path.dirname(file));
  if (blocks * bsize > 2 ** 33) throw new Error("the new server has no disk of its own that could be filled");
  const rest = `cat /dev/zero >>"$1" || true`;
  await run(["bash", "-c", `fallocate -l "$2" "$1" || true; ${rest}`, "fill", file, `${bavail * bsize}`]);
}

async function heal(c: FaultContext): Promise<void> {
  await c.target().sh(`rm -f /${filler}`);
}

export const storage: Record<string, Fault> = {
  "disk-full-base-backup": {
    title: "the new server's disk is full in the base backup",
    phase: "replicate",
    diskMiB: 6000,
    fails: "must",
    says: /space/i,
    async strike(c) {
      await stepStarts(c, "database/standby");
      await fill(c);
      await c.run.done;
      await heal(c);
    },
  },
  "disk-full-switch": {
    title: "the new server's disk is full when the switchover begins",
    phase: "switch",
    diskMiB: 6000,
    fails: "must",
    says: /no space/i,
    async strike(c) {
      await switchoverTakes(c, "drain");
      await fill(c);
      await c.run.done;
      await heal(c);
    },
  },
  "disk-full-promote": {
    title: "the new server's disk is full when it is to be promoted",
    phase: "switch",
    diskMiB: 6000,
    fails: "must",
    says: /died as it was promoted.*has 0 MiB left/,
    async strike(c) {
      await switchoverTakes(c, "fence");
      await fill(c);
      await c.run.done;
      await heal(c);
    },
  },
};
