import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { load } from "./measure";
import type { Found, Results, Stamp } from "./results";
import { machine } from "./versions";

/** What was measured before on this machine, or nothing yet. */
export function open(file: string): Results {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Results;
  return { machine: machine(), versions: {}, load, failures: {} };
}

/** Takes over what was found; what was measured before in the same way gives place to it. */
export function merge(all: Results, found: Found, stamp: Stamp): void {
  const stamped = <T>(list: T[] = []) => list.map((one) => ({ ...one, ...stamp }));
  Object.assign(all.versions, found.versions);
  all.pauses = together(all.pauses, stamped(found.pauses), (p) => p.rttMs);
  all.peers = together(all.peers, stamped(found.peers), (p) => `${p.name} ${p.rttMs}`);
  all.seeding = together(all.seeding, stamped(found.seeding), (s) => `${s.link} ${s.rttMs}`);
  all.copying = together(all.copying, stamped(found.copying), (c) => c.way);
  all.media = together(all.media, stamped(found.media), (m) => m.files);
  all.program = together(all.program, stamped(found.program), (t) => t.command);
  all.rehearsal = together(all.rehearsal, stamped(found.rehearsal), (t) => t.size);
}

/** In the order of the first time; a new one takes the place of the old. */
function together<T>(before: T[] = [], now: T[], key: (one: T) => unknown): T[] {
  const all = new Map([...before, ...now].map((one) => [key(one), one]));
  return [...all.values()];
}

/** Writes a file at once, and the folder it is in. */
export function put(file: string, content: string): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(`${file}.part`, content);
  renameSync(`${file}.part`, file);
}
