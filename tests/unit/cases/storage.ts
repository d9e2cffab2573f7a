import type { Seen } from "../../../survey/finding";
import { media, migration } from "../configs";
import { type Filled, source } from "../raws";
import { type Case, GiB, seen } from "./worlds";

/** A world in which nothing but the media move, and all is well with them. */
export function mediaWorld(
  change: (s: Filled) => void = () => undefined,
  config: Record<string, string> = {},
  more: Partial<Seen> = {},
): Seen {
  const well = (s: Filled) => {
    s.nginx.certificates.forEach((c) => c.names.push("*.social.example"));
    change(s);
  };
  const all = { ...media, mediaLeadDays: "7", ...config };
  return seen({ migration: migration({}, all), source: source(well), target: undefined, ...more });
}

const set = (name: string, value: string) => mediaWorld((s) => (s.mastodon.env.values[name] = value));
const rows = (change: object, config: Record<string, string> = {}) =>
  mediaWorld((s) => {
    s.media.rows = {
      ...{ classes: {}, suspended: 0, withoutFile: 0, withoutRow: 0 },
      examples: { withoutFile: ["accounts/x.png"], withoutRow: ["lost/y.png"] },
      ...change,
    };
  }, config);

export const storage: Case[] = [
  ["storage-on", "error", /S3_BUCKET=not set/, set("S3_ENABLED", "true")],
  ["storage-backend", "error", /SWIFT_ENABLED/, set("SWIFT_ENABLED", "true")],
  ["storage-prefix", "error", /S3_KEY_PREFIX=social/, set("S3_KEY_PREFIX", "social")],
  ["storage-multipart", "error", /above 15 bytes/, set("S3_MULTIPART_THRESHOLD", "15")],
  ["storage-leftovers", "warning", /S3_CLOUDFRONT_HOST=x/, set("S3_CLOUDFRONT_HOST", "x")],
  [
    "storage-certificate",
    "error",
    /media.social.example is in none/,
    mediaWorld((s) => {
      s.tools["certbot"] = null;
      s.nginx.certificates.forEach((c) => (c.names = ["social.example"]));
    }),
  ],
  ["storage-nginx", "error", /redirected/, mediaWorld((s) => Object.assign(s, { nginx: null }))],
  ["storage-csp", "warning", /4.3.8/, mediaWorld((s) => (s.mastodon.version = "4.3.8"))],
  ["storage-lead", "note", /mediaLeadDays is 0/, mediaWorld(undefined, { mediaLeadDays: "0" })],
  ["storage-suspended", "warning", /4 files/, rows({ suspended: 4 }, { mediaAcl: "false" })],
  ["storage-rows-without-file", "warning", /2 files, like accounts/, rows({ withoutFile: 2 })],
  ["storage-files-without-row", "note", /3 files, like lost/, rows({ withoutRow: 3 })],
  ["storage-cache", "warning", /30000 files, 15 GiB/, mediaWorld(undefined, { mediaCache: "false" })],
  ["storage-prune", "note", /older than 7 days/, mediaWorld(undefined, { mediaPruneDays: "7" })],
  [
    "storage-room",
    "error",
    /free on \//,
    mediaWorld((s) => s.disks.forEach((d) => (d.freeBytes = 0.1 * GiB))),
  ],
];
