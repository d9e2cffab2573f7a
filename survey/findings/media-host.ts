import { type Check, error, warning } from "../finding";
import { reached } from "../phase";

/** A CNAME can't stand beside addresses, and a record that somebody made is not replaced unasked. */
export const mediaHostTaken: Check = ({ migration: { storage, dns }, mediaRecords }) => {
  if (!storage || dns.provider === "none" || storage.cdn.kind === "nginx") return null;
  // R2 makes its record itself, and it has addresses: only before that is one in its way.
  if (storage.cdn.kind === "r2") return null;
  const addresses = mediaRecords.filter((r) => r.type !== "CNAME" && r.values.length);
  return (
    addresses.length > 0 &&
    error(
      "media-host-taken",
      "the media host has addresses of its own",
      addresses.map((r) => `${r.name} ${r.type} ${r.values.join(" ")}`).join(", "),
      `delete its records, or take another mediaHost: it becomes a CNAME to ${storage.cdn.kind}`,
    )
  );
};

/** One of somebody else's can't be told from the domain's own, which a run that was cut off has left. */
export const mediaHostRecord: Check = ({ migration: { storage }, storageAt, mediaRecords }) =>
  storage?.cdn.kind === "r2" &&
  storageAt === "survey" &&
  mediaRecords.length > 0 &&
  warning(
    "media-host-record",
    "the media host has a record already, and Cloudflare makes none beside it",
    mediaRecords.map((r) => `${r.name} ${r.type} ${r.values.join(" ")}`).join(", "),
    "delete it, unless it is the bucket's own from a run before",
  );

/** What the app uses can't be taken out of the program: its key would go with the next run. */
export const bucketInUse: Check = ({ migration: { storage }, storageAt }) =>
  reached(storageAt, "switch") &&
  (!storage || storage.phase === "survey") &&
  error(
    "media-in-bucket",
    "the media are in the bucket",
    `the app writes to it, but ${storage ? "the media are to go back to survey" : "mediaStore is not set"}`,
    "go back to replicate first (mediaPhase, or phase where no server moves), see that all is well, then to survey",
  );
