import { type Fault, stepStarts, switchoverSays } from "./fault";

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
      await switchoverSays(c, '"name": "promote"');
      await c.source.reboot();
    },
  },
  "reboot-old-settled": {
    title: "the old server loses power after settle",
    phase: "settle",
    async strike(c) {
      await c.run.done;
      await c.source.reboot();
    },
  },
  "reboot-new-before-promote": {
    title: "the new server loses power before it is promoted",
    phase: "switch",
    async strike(c) {
      await switchoverSays(c, '"name": "promote"');
      await c.target().reboot();
    },
  },
  "reboot-new-after-promote": {
    title: "the new server loses power after it was promoted",
    phase: "switch",
    async strike(c) {
      await switchoverSays(c, '"name": "answer"');
      await c.target().reboot();
    },
  },
};
