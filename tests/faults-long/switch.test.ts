import { faultSeries } from "../faults/faults";

/** Those that can only strike on the way there take turns with those that strike on the way back as well. */
faultSeries({
  phase: "settle",
  from: "shift",
  names: [
    "kill-up-switch",
    "dns-500",
    "cut-switch",
    "dns-429",
    "drop-switch",
    "dns-timeout",
    "disk-full-promote",
    "dns-lost",
    "disk-full-switch",
    "cut-operator",
    "wrong-standby",
    "drop-operator",
    "slow-archive",
    "pgbouncer-killed",
    "long-transaction",
    "open-transaction",
    "reboot-new-before-promote",
    "reboot-new-after-promote",
    "reboot-old-fenced",
    "kill-up-settle",
    "reboot-old-settled",
  ],
  diskMiB: 6000,
});
