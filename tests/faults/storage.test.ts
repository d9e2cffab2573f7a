import { faultSeries } from "./faults";

/** Those that take longer, and those of the other phases, are in tests/faults-long/storage.test.ts. */
faultSeries({
  phase: "replicate",
  from: "prepare",
  store: "other",
  names: ["store-key-revoked", "store-truncated", "rclone-killed", "kill-up-storage-copy"],
});
