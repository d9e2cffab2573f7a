import { clouds } from "./clouds";
import { database } from "./database";
import type { Fault } from "./fault";
import { kills } from "./kills";
import { media } from "./media";
import { network } from "./network";
import { operators } from "./operators";
import { power } from "./power";
import { storage } from "./storage";

export type { Fault, FaultContext } from "./fault";

/** Everything that `--fault NAME` can break. */
export const faults: Record<string, Fault> = {
  ...kills,
  ...network,
  ...operators,
  ...power,
  ...database,
  ...storage,
  ...clouds,
  ...media,
};
