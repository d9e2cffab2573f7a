import { faultSeries } from "../faults/faults";

faultSeries({
  phase: "replicate",
  from: "prepare",
  store: "other",
  diskMiB: 3000,
  names: [
    ...["store-slowdown", "store-key-revoked", "store-timeouts", "store-truncated", "store-disk-full"],
    ...["rclone-killed", "media-host-reboot", "media-overwritten", "media-deleted", "media-odd-names"],
    ...["cdn-cached-404", "kill-up-storage-copy"],
  ],
});
