import type { Migration } from "../config";
import type { Phase } from "./phase";
import type { Raw } from "./raw";
import type { DnsRecord } from "./records";

export type Level = "error" | "warning" | "note";

/**
 * Something about the two servers that the admin should know. An error stops preview and up before anything
 * is changed.
 */
export interface Finding {
  level: Level;
  /** A short name that stays the same, for acceptFindings and the docs. */
  code: string;
  title: string;
  /** What was seen, and where. */
  evidence: string;
  /** What to do about it. */
  remedy: string;
  /** The admin may take it upon himself by naming the code in acceptFindings. */
  acceptable?: boolean;
}

/** All that findings are told from. */
export interface Seen {
  migration: Migration;
  source?: Raw;
  target?: Raw;
  /** Why a server could not be surveyed. Left out where it could, and for a target that is not made yet. */
  unreachable: { source?: string; target?: string };
  /** Where the migration stands. */
  at: Phase;
  /** Where the media stand on their way to a bucket. */
  storageAt: Phase;
  /** Records of the moving names as they are now. */
  dns: DnsRecord[];
  /** Addresses of the instance's other names that lead to neither server, and are left as they are. */
  staying: DnsRecord[];
  /** Those of the media host. */
  mediaRecords: DnsRecord[];
  /** This machine's clock before and after a server told its own. */
  asked: { source: Span; target: Span };
}

export interface Span {
  fromMs: number;
  toMs: number;
}

/** Looks for one kind of trouble. */
export type Check = (seen: Seen) => Finding | Finding[] | false | null | undefined | "" | 0;

/** Codes of the errors that the admin may accept, in one world or another. */
export const acceptable = [
  "archiver",
  "clock",
  "collation-icu",
  "database-shared",
  "dns-elsewhere",
  "dns-hidden",
  "local-changes",
  "local-service",
  "media-url",
  "nginx-not-carried",
  "other-walsender",
  "program-elsewhere",
  "redis-databases",
  "release",
  "search",
  "site-left-behind",
  "source-unreachable",
  "ssh-limited",
  "unit-needs",
  "unit-unused",
  "unlogged-tables",
] as const;
type Acceptable = (typeof acceptable)[number];

type Make<Code = string> = (code: Code, title: string, evidence: string, remedy: string) => Finding;

const make =
  (level: Level, acceptable?: true): Make =>
  (code, title, evidence, remedy) => ({
    level,
    code,
    title,
    evidence,
    remedy,
    ...(acceptable && { acceptable }),
  });

export const error = make("error");
/** An error that the admin may accept. */
export const risk: Make<Acceptable> = make("error", true);
export const warning = make("warning");
export const note = make("note");

/** Bytes for people: 1.5 GiB. */
export function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "unknown";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const i = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const n = bytes / 1024 ** i;
  return `${n < 10 && i ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

/** Compares versions like 6.0.16 and 6.2 by their numbers. */
export function older(version: string, than: string): boolean {
  const parts = (v: string) => v.split(/[^\d]+/).map(Number);
  const [a, b] = [parts(version), parts(than)];
  for (let i = 0; i < b.length; i++) if ((a[i] || 0) !== (b[i] || 0)) return (a[i] || 0) < (b[i] || 0);
  return false;
}
