import { faultSeries } from "./faults";

faultSeries({
  phase: "switch",
  from: "shift",
  names: [
    "kill-up-switch",
    "cut-switch",
    "drop-switch",
    "open-transaction",
    "slow-archive",
    "pgbouncer-killed",
    "wrong-standby",
    "dns-500",
    "reboot-old-fenced",
    "reboot-new-before-promote",
    "reboot-new-after-promote",
  ],
});
