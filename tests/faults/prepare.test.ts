import { faultSeries } from "./faults";

faultSeries({
  phase: "prepare",
  from: "survey",
  names: ["kill-up-server", "kill-up-prepare", "cloud-500", "cloud-429", "cloud-timeout", "cloud-lost"],
});
