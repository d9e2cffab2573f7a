import type { Check, Finding, Seen } from "./finding";
import * as dns from "./findings/dns";
import * as host from "./findings/host";
import * as mastodon from "./findings/mastodon";
import * as media from "./findings/media";
import * as postgres from "./findings/postgres";
import * as reach from "./findings/reach";
import * as redis from "./findings/redis";
import * as replication from "./findings/replication";
import * as sidekiq from "./findings/sidekiq";
import * as web from "./findings/web";

const files = [reach, host, mastodon, sidekiq, media, postgres, replication, redis, web, dns];

/** Every check there is: a new one is found by being exported from its file. */
export const checks: Check[] = files.flatMap((file): Check[] => Object.values(file));

const order = ["error", "warning", "note"];

/**
 * All that is to be said about the two servers, the worst first. What the admin has accepted is a warning.
 */
export function findingsOf(seen: Seen): Finding[] {
  return checks
    .flatMap((check) => check(seen) || [])
    .map((f) => (f.acceptable && seen.migration.accepted.includes(f.code) ? accept(f) : f))
    .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

function accept(f: Finding): Finding {
  return { ...f, level: "warning", title: `${f.title} (accepted)`, acceptable: false };
}
