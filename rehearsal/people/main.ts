import { serve } from "./child";
import { Crowd, type CrowdOptions } from "./crowd";

let crowd: Crowd | undefined;

serve({
  start: (o: CrowdOptions) => void (crowd = new Crowd(o)),
  stats: () => crowd?.stats(),
  mark: (label: string) => crowd?.mark(label),
  pause: () => crowd?.pause(),
  resume: () => crowd?.resume(),
  stop: () => crowd?.stop(),
});
