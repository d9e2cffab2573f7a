import { type Fault, holds, stepStarts, switchoverTakes } from "./fault";

export const power: Record<string, Fault> = {
  "reboot-old-replicate": {
    title: "the old server loses power in replicate",
    phase: "replicate",
    async strike(c) {
      await stepStarts(c, "media/copy");
      await c.source.reboot();
    },
  },
  "reboot-old-fenced": {
    title: "the old server loses power just after the fence",
    phase: "switch",
    async strike(c) {
      await switchoverTakes(c, "promote");
      await c.source.reboot();
    },
  },
  "reboot-old-settled": {
    title: "the old server loses power after settle",
    phase: "settle",
    fails: "no",
    async strike(c) {
      await c.run.done;
      await c.source.reboot();
      await holds(c.target(), `[[ "$(${followers})" == streaming ]]`);
    },
  },
  "reboot-new-before-promote": {
    title: "the new server loses power before it is promoted",
    phase: "switch",
    async strike(c) {
      await switchoverTakes(c, "fence");
      await c.target().reboot();
    },
  },
  "reboot-new-after-promote": {
    title: "the new server loses power after it was promoted",
    phase: "switch",
    async strike(c) {
      await switchoverTakes(c, "answer");
      await c.target().reboot();
    },
  },
};

const followers = "runuser -u postgres -- psql -XAtqc 'SELECT state FROM pg_stat_replication'";
