import type { Check, Finding, Level, Seen } from "./finding";
import * as beside from "./findings/beside";
import * as distance from "./findings/distance";
import * as dns from "./findings/dns";
import * as host from "./findings/host";
import * as install from "./findings/install";
import * as mastodon from "./findings/mastodon";
import * as media from "./findings/media";
import * as mediaHost from "./findings/media-host";
import * as postgres from "./findings/postgres";
import * as reach from "./findings/reach";
import * as redis from "./findings/redis";
import * as replication from "./findings/replication";
import * as runtime from "./findings/runtime";
import * as sidekiq from "./findings/sidekiq";
import * as storage from "./findings/storage";
import * as web from "./findings/web";
import { reached } from "./phase";

/** What stands in the way of any run, wherever it goes. */
const always: Check[] = Object.values(reach);

/** What has to be right before the data move. On the way back it is a warning, after the switch a note. */
const ahead: Check[] = [
  host,
  distance,
  mastodon,
  install,
  runtime,
  beside,
  sidekiq,
  media,
  postgres,
  replication,
  redis,
  web,
  dns,
].flatMap((file): Check[] => Object.values(file));

/** What has to be right before the media move; they have a way of their own. */
const mediaAhead: Check[] = [...Object.values(mediaHost), ...Object.values(storage)];

/** What of the server's move matters where nothing but the media move. */
const mediaAlone: Check[] = [
  ...[
    mastodon.missing,
    mastodon.domain,
    mastodon.version,
    mastodon.selfDestruct,
    mastodon.webUnits,
    mastodon.mediaUrl,
  ],
  ...[media.mediaMissing, media.mediaMount, runtime.listening],
];

/** Every check there is: a new one is found by being exported from its file. */
export const checks: Check[] = [...always, ...ahead, ...mediaAhead];

const order: Level[] = ["error", "warning", "note"];

/** All that is to be said about the two servers, the worst first. What the admin has accepted is a warning. */
export function findingsOf(seen: Seen): Finding[] {
  const { at, migration } = seen;
  const worst = reached(at, "switch") ? "note" : reached(migration.phase, at) ? "error" : "warning";
  const look = (list: Check[]) => list.flatMap((check) => check(seen) || []);
  const moving = look(migration.target.provider === "none" ? mediaAlone : ahead);
  return [...look(always), ...moving.map((f) => soften(f, worst)), ...look(mediaAhead)]
    .map((f) => (f.acceptable && migration.accepted.includes(f.code) ? accept(f) : f))
    .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

function soften(f: Finding, worst: Level): Finding {
  return order.indexOf(f.level) < order.indexOf(worst) ? { ...f, level: worst, acceptable: false } : f;
}

function accept(f: Finding): Finding {
  return { ...soften(f, "warning"), title: `${f.title} (accepted)` };
}
