import { faultSeries } from "../faults/faults";

const steps = Array.from({ length: 14 }, (_, i) => i + 1);

/**
 * `pulumi up` killed (-9) at each numbered step of the switchover, there and back; and the switchover itself before the
 * pause, in it, and on both sides of the promotion. switchover.test.ts kills it at every one of them.
 */
faultSeries({
  phase: "switch",
  from: "shift",
  names: [
    ...steps.map((n) => `kill-up-switchover-${n}`),
    ...[3, 6, 8, 11].map((n) => `kill-switchover-${n}`),
  ],
});
