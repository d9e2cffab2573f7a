import { createHash } from "node:crypto";
import { factsOf } from "./facts";
import { type Phase, reached } from "./phase";
import type { Raw } from "./raw";

/**
 * What of the source goes on changing until the app is shifted, since its admin upgrades it, sets variables and renews
 * certificates meanwhile. The marks say nothing but whether it has changed; what this survey could not tell is left out.
 */
export interface Latest {
  version?: string;
  repository?: string;
  ref?: string;
  /** Marks of the app's folder and units, of .env.production (every value of it), of nginx's sites. */
  tree?: string;
  env?: string;
  site?: string;
  /** Of the certificates. */
  pairs?: string;
}

const parts = ["version", "repository", "ref", "tree", "env", "site", "pairs"] as const;

/** Pure: the same source gives the same marks, as long as the survey's salt is the same. */
export function latestOf(source: Raw | undefined): Latest {
  const app = source?.mastodon;
  const { keys, hashes, values } = app?.env ?? { keys: [], hashes: {}, values: {} };
  const pairs = source?.nginx?.certificates ?? [];
  const version = app?.version || undefined;
  return {
    version,
    repository: source && app?.git ? factsOf(source).SOURCE_REPOSITORY : undefined,
    ref: app?.git?.head,
    tree: version && app?.stamp ? mark([version, app.stamp]) : undefined,
    env: keys.length ? mark([keys, sorted(hashes), sorted(values)]) : undefined,
    site: source?.nginx?.stamp || undefined,
    // Where nginx serves as the proxy it may list them in another order.
    pairs: pairs.length && pairs.every((p) => p.notAfterMs) ? mark(pairs.map(endOf).sort()) : undefined,
  };
}

/**
 * Parts that stay as they were: from shift on the target's app is its own, and until the switch certificates are still
 * renewed on the source. And those that this survey could not tell.
 */
export function settled(latest: Latest, at: Phase): (keyof Latest)[] {
  return parts.filter(
    (part) => latest[part] === undefined || reached(at, part === "pairs" ? "switch" : "shift"),
  );
}

function endOf({ cert, names, notAfterMs }: NonNullable<Raw["nginx"]>["certificates"][number]): string {
  return [cert, notAfterMs, ...names].join(" ");
}

function sorted(named: Record<string, string>): [string, string][] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

function mark(of: unknown): string {
  return createHash("sha256").update(JSON.stringify(of)).digest("hex");
}
