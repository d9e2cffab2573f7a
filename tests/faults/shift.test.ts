import { faultSeries } from "./faults";

faultSeries({ phase: "shift", from: "replicate", names: ["kill-up-shift"] });
