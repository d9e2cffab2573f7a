import { existsSync, readFileSync } from "node:fs";
import { lines } from "./site";

/** Where people and remote servers wrote down what was acknowledged to them. */
export interface Records {
  people: string;
  remotes: string;
}

interface Done {
  /** When the answer came, and how long it took from the first try. */
  t: number;
  latencyMs: number;
  account: string;
}
export type StatusRecord = Done & {
  id: string;
  text: string;
  key: string;
  visibility: string;
  media: string[];
};
export type MediaRecord = Done & { id: string; sha256: string; url: string };
export type FollowRecord = Done & { id: string };
/** An activity on its way in (`delivered`) or out (`received`), as the remote server saw it. */
export interface ActivityRecord {
  t: number;
  host: string;
  id: string;
  type: string;
  actor: string;
  object: string;
}

export interface Acknowledged {
  statuses: StatusRecord[];
  media: MediaRecord[];
  follows: FollowRecord[];
  delivered: ActivityRecord[];
  received: ActivityRecord[];
}

export function readRecords(r: Records): Acknowledged {
  const people = read(r.people);
  const remotes = read(r.remotes);
  const of = <T>(all: Line[], kind: string) => all.filter((l) => l.kind === kind) as unknown as T[];
  return {
    statuses: of(people, "status"),
    media: of(people, "media"),
    follows: of(people, "follow"),
    delivered: of(remotes, "delivered"),
    received: of(remotes, "received"),
  };
}

type Line = { kind: string };

/** A last line that was cut off by a kill was never acknowledged to anyone; it is left out. */
function read(file: string): Line[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return lines(whole).map((line) => JSON.parse(line) as Line);
}
