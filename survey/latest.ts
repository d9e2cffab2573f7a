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
  /** Of the web domain's certificate, and of all of them. */
  pair?: string;
  pairs?: string;
}

const parts = ["version", "repository", "ref", "tree", "env", "site", "pair", "pairs"] as const;

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
    pair: markOf(pairs.slice(0, 1)),
    pairs: markOf(pairs),
  };
}

/**
 * Parts that stay as they were: from shift on the target's app is its own. The certificate is still renewed on the source
 * until the switch, and the web domain's is the one that a source as proxy surely shows. And those that this survey could
 * not tell.
 */
export function settled(latest: Latest, at: Phase): (keyof Latest)[] {
  return parts.filter(
    (part) => latest[part] === undefined || reached(at, part === "pair" ? "switch" : "shift"),
  );
}

function markOf(pairs: NonNullable<Raw["nginx"]>["certificates"]): string | undefined {
  const ends = pairs.map(({ cert, names, notAfterMs }) => notAfterMs && [cert, notAfterMs, ...names]);
  return ends.length && ends.every(Boolean) ? mark(ends) : undefined;
}

function sorted(named: Record<string, string>): [string, string][] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

function mark(of: unknown): string {
  return createHash("sha256").update(JSON.stringify(of)).digest("hex");
}
