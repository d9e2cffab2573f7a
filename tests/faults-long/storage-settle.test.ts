import { faultSeries } from "../faults/faults";

faultSeries({ phase: "settle", from: "switch", store: "other", names: ["kill-up-storage-verify"] });
