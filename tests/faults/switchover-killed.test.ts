import { faultSeries } from "./faults";

const steps = Array.from({ length: 14 }, (_, i) => i + 1);

/** At each numbered step of the switchover: first the unit itself is killed (-9), then, on the way back, `pulumi up`. */
faultSeries({
  phase: "switch",
  from: "shift",
  names: steps.flatMap((n) => [`kill-switchover-${n}`, `kill-up-switchover-${n}`]),
});
