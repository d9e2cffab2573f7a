import { faultSeries } from "./faults";

faultSeries({
  phase: "replicate",
  from: "prepare",
  names: [
    "two-ups-at-once",
    "stale-tunnel-key",
    "kill-up-replicate",
    "cut-base-backup",
    "drop-base-backup",
    "tunnel-down",
    "reboot-old-replicate",
    "disk-full-base-backup",
  ],
  diskMiB: 5000,
});
