import type { Seen } from "../../../survey/finding";
import { positionOf } from "../../../survey/position";
import type { Raw } from "../../../survey/raw";
import type { DnsRecord } from "../../../survey/records";
import { cloud, migration } from "../configs";
import { type Filled, now, source, target } from "../raws";

/** A world with one thing wrong; the finding's code, level and what its evidence says. */
export type Case = [code: string, level: string, evidence: RegExp, world: Seen];

export const record: DnsRecord = {
  name: "social.example",
  type: "A",
  values: ["198.18.0.10"],
  ttl: 300,
  proxied: false,
  id: "z/r",
  extra: {},
};

export function seen(change: Partial<Seen> = {}): Seen {
  const all = {
    migration: migration(),
    source: source(),
    target: target(),
    unreachable: {},
    dns: [record],
    staying: [],
    storageAt: "survey" as const,
    mediaRecords: [],
    asked: { source: { fromMs: now, toMs: now }, target: { fromMs: now, toMs: now } },
    ...change,
  };
  return { at: positionOf(all.source, all.target), ...all };
}

export const onSource = (change: (raw: Filled) => void) => seen({ source: source(change) });
export const onTarget = (change: (raw: Raw) => void) => seen({ target: target(change) });
export const inCloud = (change: Record<string, string>, more: Partial<Seen> = {}) =>
  seen({ migration: migration(change, cloud), target: undefined, ...more });
export const certificate = (change: Partial<NonNullable<Raw["nginx"]>["certificates"][number]>) =>
  onSource((s) => Object.assign(s.nginx.certificates[0] ?? {}, change));
export const day = 86_400_000;
export const GiB = 1024 ** 3;

export function never(): never {
  throw new Error("the fixture lacks this part");
}

export function there<T>(part: T | null | undefined): T {
  return part ?? never();
}
