import { faultSeries } from "./faults";

faultSeries({ phase: "prepare", from: "survey", store: "other", names: ["store-clock"] });
