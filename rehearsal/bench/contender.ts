import type { Door } from "./load";
import type { PeerName } from "./options";
import type { Side, Site } from "./site";

/** What a way of switching says about itself, where it says anything. */
export interface Told {
  /** How long it held writes, by its own clock. */
  pauseMs?: number;
  redisPauseMs?: number;
  /** How long each of its steps took, in milliseconds. */
  steps?: Record<string, number>;
}

/** One way to make the new server the primary while clients write. */
export interface Contender {
  name: PeerName;
  /** What is done, in one sentence, for the page of figures. */
  how: string;
  /** Whether its hosts need the peers' packages. */
  layer: boolean;
  /** Where clients on the new server connect, before and after. */
  door: Door;
  /** From two bare servers to a primary on the old one, a standby on the new one, and clients' door open. */
  setup(site: Site): Promise<void>;
  /** Makes this side the primary; returns when its own documentation would call it done. */
  switchTo(site: Site, side: Side): Promise<Told>;
  /** Back to where `setup` left it, with nobody writing. @default - switches back */
  reset?(site: Site): Promise<void>;
}
