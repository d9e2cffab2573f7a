import { faults } from "../../rehearsal/faults";
import { faultSeries } from "./faults";

/** Killed (-9) at each of its numbered steps. */
faultSeries({
  phase: "switch",
  from: "shift",
  names: Object.keys(faults).filter((name) => name.startsWith("kill-switchover-")),
});
