import { homedir } from "node:os";
import path from "node:path";

/** Where the lab keeps what it makes; the same folders as in paths.sh. */
export const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "trunkline");

/** Scratch folders of running labs, one per `rehearsal/enter.sh`, which removes its own and those of the dead. */
export const labs = path.join(cache, "labs");
