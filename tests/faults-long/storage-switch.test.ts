import { faultSeries } from "../faults/faults";

faultSeries({
  phase: "switch",
  from: "shift",
  store: "other",
  names: ["store-slowdown-switch", "kill-up-storage-switch"],
});
