import { media, migration, storesConfig } from "../configs";
import { type Case, record, seen } from "./worlds";

const a = { ...record, name: "media.social.example" };

export const mediaHost: Case[] = [
  [
    "media-host-taken",
    "error",
    /media\.social\.example A 198\.18\.0\.10/,
    seen({ migration: migration({}, storesConfig.s3), mediaRecords: [a] }),
  ],
  [
    "media-host-record",
    "warning",
    /media\.social\.example A 198\.18\.0\.10/,
    seen({ migration: migration({}, storesConfig.r2), mediaRecords: [a] }),
  ],
  ["media-in-bucket", "error", /mediaStore is not set/, seen({ storageAt: "switch" })],
  [
    "media-in-bucket",
    "error",
    /go back to survey/,
    seen({ migration: migration({ phase: "survey" }, media), storageAt: "settle" }),
  ],
];
