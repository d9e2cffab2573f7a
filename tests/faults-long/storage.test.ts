import { faultSeries } from "../faults/faults";

/** Those of the media's move that `npm test` leaves out; its own are in tests/faults/storage.test.ts. */
faultSeries({
  phase: "settle",
  from: "survey",
  store: "other",
  diskMiB: 3000,
  names: [
    ...["store-clock", "store-slowdown", "store-timeouts", "store-disk-full", "media-host-reboot"],
    ...["media-overwritten", "media-deleted", "media-odd-names", "cdn-cached-404"],
    ...["store-slowdown-switch", "kill-up-storage-switch", "kill-up-storage-verify"],
  ],
});
