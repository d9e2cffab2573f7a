/** What becomes of a rehearsal that does not come to its own end. */
import { constants } from "node:os";
import type { World } from "./world";

export interface Ending {
  /** Told why, before anything else happens. */
  broken(why: unknown): void;
  /** Leaves the world up, and returns when it may go. @default - it goes at once */
  keep?(world: World): Promise<void>;
}

/**
 * Runs a rehearsal. Where it throws, that is told, and the world is kept if it is wanted and was built; where a signal ends
 * the process, that is told too, and nothing is kept.
 * @param run says when the world is up
 */
export async function withEnding<T>(
  run: (built: (world: World) => void) => Promise<T>,
  { broken, keep }: Ending,
): Promise<T> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const end = (signal: (typeof signals)[number]): void => {
    broken(new Error(`it was ended by ${signal}`));
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, end);
  const letGo = (): void => signals.forEach((signal) => void process.off(signal, end));
  let world: World | undefined;
  try {
    return await run((up) => (world = up));
  } catch (why) {
    broken(why);
    letGo(); // from now on a signal ends what is kept
    if (keep && world) await keep(world);
    throw why;
  } finally {
    letGo();
  }
}
