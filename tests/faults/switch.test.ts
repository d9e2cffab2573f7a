import { faultSeries } from "./faults";

faultSeries({
  phase: "switch",
  from: "shift",
  names: [
    "kill-up-switch",
    "dns-500",
    "cut-switch",
    "dns-429",
    "drop-switch",
    "dns-timeout",
    "cut-operator",
    "dns-lost",
    "drop-operator",
    "open-transaction",
    "pgbouncer-killed",
    "pgbouncer-killed",
    "long-transaction",
    "slow-archive",
    "wrong-standby",
    "disk-full-switch",
    "disk-full-promote",
    "reboot-new-before-promote",
    "reboot-new-after-promote",
    "reboot-old-fenced",
  ],
  diskMiB: 6000,
});
