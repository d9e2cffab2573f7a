import { type Fault, holds, stepStarts } from "./fault";

const filler = "/var/lib/postgresql/filler";

/** Fills the database's disk to the last block; the file is removed to heal. */
const fill = `dd if=/dev/zero of=${filler} bs=1M 2>/dev/null; dd if=/dev/zero of=${filler} bs=4k oflag=append conv=notrunc 2>/dev/null; true`;

export const storage: Record<string, Fault> = {
  "disk-full-base-backup": {
    title: "the new server's disk is full in the base backup",
    phase: "replicate",
    diskMiB: 3000,
    fails: "must",
    says: /space/i,
    async strike(c) {
      await stepStarts(c, "database/standby");
      await c.target().sh(fill, { timeoutMs: 60_000 });
      await c.run.done;
      await c.target().sh(`rm -f ${filler}`);
    },
  },
  "disk-full-promote": {
    title: "the new server's disk is full when it is to be promoted",
    phase: "switch",
    diskMiB: 3000,
    async strike(c) {
      await stepStarts(c, "switchover/run");
      await holds(c.target(), "systemctl is-active -q trunkline-switchover.service");
      await c.target().sh(fill, { timeoutMs: 60_000 });
      await c.run.done;
      await c.target().sh(`rm -f ${filler}`);
    },
  },
};
