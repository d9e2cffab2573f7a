import { setTimeout as sleep } from "node:timers/promises";

export interface Patience {
  /** How long to wait in all. */
  seconds: number;
  /** Told whenever what is waited for changes. */
  say(line: string): Promise<void>;
  /** Between two looks. @default 2000 */
  everyMs?: number;
}

/** Longer than servers take to boot, databases to come up after a power cut, and tunnels to connect. */
export const bootSeconds = 120;

/**
 * Looks until nothing is awaited any more, or the time is up. @param awaited what is waited for, in words; empty: go on
 * @returns what was seen last, which tells what is still amiss
 */
export async function patiently<T>(
  look: () => Promise<T>,
  awaited: (seen: T) => string[],
  { seconds, say, everyMs = 2000 }: Patience,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (let said = ""; ; await sleep(everyMs)) {
    const seen = await look();
    const words = awaited(seen).join(", ");
    if (!words || Date.now() > end) return seen;
    if (words !== said) await say(`waiting for ${words}; ${Math.ceil((end - Date.now()) / 1000)} s at most`);
    said = words;
  }
}
