import { faultSeries } from "../faults/faults";

faultSeries({ phase: "prepare", from: "survey", store: "other", names: ["store-clock"] });
