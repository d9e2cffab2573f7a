import { serve } from "../people/child";
import { Fediverse, type FediverseOptions } from "./fediverse";

let fediverse: Fediverse | undefined;

serve({
  start: async (o: FediverseOptions) => void (fediverse = await Fediverse.start(o)),
  stats: () => fediverse?.stats(),
  quiet: (deadlineMs: number) => fediverse?.quiet(deadlineMs),
  resume: () => fediverse?.resume(),
  stop: () => fediverse?.stop(),
});
