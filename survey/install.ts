import { releaseOf } from "./facts";
import type { Seen } from "./finding";

/** `copy`: the source's own tree, Ruby and Node; `official`: the same release, installed as Mastodon's guide does it. */
export type Way = "copy" | "official";

/** The release that the target runs, or will run once it is made; "" where that can't be told yet. */
export function targetRelease({ target, migration: m }: Pick<Seen, "target" | "migration">): string {
  if (target) return releaseOf(target);
  return m.target.provider === "hetzner" ? m.target.image : "";
}

/** How the app comes to the target. By itself (`auto`) the step decides as this does, by /etc/os-release of the target. */
export function wayOf(seen: Pick<Seen, "source" | "target" | "migration">): Way {
  const { install } = seen.migration.app;
  if (install !== "auto") return install;
  const there = targetRelease(seen);
  return seen.source && there && there !== releaseOf(seen.source) ? "official" : "copy";
}
