import { faultSeries } from "./faults";

faultSeries({ phase: "settle", from: "switch", names: ["kill-up-settle", "reboot-old-settled"] });
