import { diskOf } from "../measure";
import { type Check, error, note, older, type Seen, size, warning } from "../finding";
import { reached } from "../phase";
import type { Raw } from "../raw";

/**
 * The server that has the app. Undefined where the media stay, have moved, or are on the way back: nothing
 * stands in their way then.
 */
function before(seen: Seen): Raw | undefined {
  const { migration, source, target, at, storageAt = "survey" } = seen;
  const { storage } = migration;
  if (!storage || reached(storageAt, "switch") || !reached(storage.phase, storageAt)) return undefined;
  return reached(at, "shift") ? target : source;
}

const value = (app: Raw | undefined, name: string) => app?.mastodon?.env.values[name] ?? "";

export const inAnotherBucket: Check = (seen) => {
  const app = before(seen);
  const storage = seen.migration.storage;
  if (value(app, "S3_ENABLED") !== "true" || !storage) return null;
  // A server that the app has moved to since: what is left of the media's way finds them there.
  if (value(app, "S3_BUCKET") === storage.bucket) return null;
  return error(
    "storage-on",
    "the app keeps its media in a bucket already",
    `S3_ENABLED=true, S3_BUCKET=${value(app, "S3_BUCKET") || "not set"}`,
    "from bucket to bucket is another way: copy with rclone, keep S3_ALIAS_HOST as it is; take mediaStore out here",
  );
};

export const otherBackend: Check = (seen) => {
  const on = ["SWIFT", "AZURE"].find((name) => value(before(seen), `${name}_ENABLED`) === "true");
  return (
    on &&
    error("storage-backend", "media are in another kind of store", `${on}_ENABLED=true`, "move them by hand")
  );
};

export const keyPrefix: Check = (seen) =>
  value(before(seen), "S3_KEY_PREFIX") &&
  error(
    "storage-prefix",
    "S3_KEY_PREFIX would put every key elsewhere",
    `S3_KEY_PREFIX=${value(before(seen), "S3_KEY_PREFIX")}`,
    "take it out of .env.production: tootctl media remove-orphans knows no file with a prefix, and nothing is copied there",
  );

export const multipart: Check = (seen) => {
  const text = value(before(seen), "S3_MULTIPART_THRESHOLD");
  const bytes = Number(text);
  return (
    text &&
    !(bytes >= 5 * 1024 ** 2) &&
    error(
      "storage-multipart",
      "S3_MULTIPART_THRESHOLD is in bytes, whatever the documentation says",
      `S3_MULTIPART_THRESHOLD=${text}: every file above ${text} bytes would be uploaded in parts`,
      "take it out of .env.production (the default is 15728640), or write bytes: 5242880 at least",
    )
  );
};

/** Variables that would win over, or bend, what the switch writes. */
const bending = ["S3_CLOUDFRONT_HOST", "S3_FORCE_SINGLE_REQUEST", "S3_OVERRIDE_PATH_STYLE"];

export const leftovers: Check = (seen) => {
  const found = bending.filter((name) => value(before(seen), name));
  return (
    found.length > 0 &&
    warning(
      "storage-leftovers",
      "variables from an earlier object store are still set",
      found.map((name) => `${name}=${value(before(seen), name)}`).join(", "),
      "take them out of .env.production unless you know that this store needs them",
    )
  );
};

export const certificate: Check = (seen) => {
  const app = before(seen);
  const storage = seen.migration.storage;
  if (!app?.nginx || storage?.cdn.kind !== "nginx") return null;
  const covered = app.nginx.certificates.some((c) => c.exists && c.names.some((n) => fits(n, storage.host)));
  return (
    !covered &&
    !app.tools["certbot"] &&
    error(
      "storage-certificate",
      "no certificate for the media host, and no certbot to get one",
      `${storage.host} is in none of the certificates that nginx has (${app.nginx.certificates.flatMap((c) => c.names).join(", ") || "none"})`,
      `get one that covers ${storage.host} too, or install certbot`,
    )
  );
};

function fits(pattern: string, name: string): boolean {
  return (
    pattern === name || (pattern.startsWith("*.") && name.split(".").slice(1).join(".") === pattern.slice(2))
  );
}

export const noNginx: Check = (seen) => {
  const app = before(seen);
  return (
    app &&
    !app.nginx &&
    error(
      "storage-nginx",
      "there is no nginx on the server",
      "old links have to be redirected, and requests held while the app is exchanged",
      "put nginx in front of Mastodon, as its own guide does",
    )
  );
};

export const noAnnouncement: Check = (seen) => {
  const app = before(seen);
  return (
    app?.mastodon &&
    older(app.mastodon.version, "4.4") &&
    warning(
      "storage-csp",
      "browsers can't be told of the media host before the switch",
      `Mastodon ${app.mastodon.version} has no EXTRA_MEDIA_HOSTS (4.4 has)`,
      "people whose browser keeps the page's rules (up to a week) see no new pictures until they reload it; upgrade to 4.4 first to avoid that",
    )
  );
};

export const tooShort: Check = (seen) => {
  const storage = seen.migration.storage;
  const app = before(seen);
  return (
    storage &&
    app?.mastodon &&
    !older(app.mastodon.version, "4.4") &&
    storage.leadDays < 7 &&
    note(
      "storage-lead",
      "browsers keep a page's rules for up to a week",
      `mediaLeadDays is ${storage.leadDays}`,
      "set mediaLeadDays to 7, and let a week pass between prepare and switch: then nobody misses a picture",
    )
  );
};

export const suspended: Check = (seen) => {
  const storage = seen.migration.storage;
  const count = before(seen)?.media?.rows?.suspended ?? 0;
  if (!storage || storage.objectAcl || !count) return null;
  return warning(
    "storage-suspended",
    "this store can't keep single files private",
    `${count} files of suspended accounts; they stay on the disk, but what is uploaded and suspended later stays public`,
    "choose a store with object ACLs (s3, other), or live with it",
  );
};

export const withoutFile: Check = (seen) => {
  const rows = before(seen)?.media?.rows;
  return (
    rows?.withoutFile &&
    warning(
      "storage-rows-without-file",
      "rows stand for files that are not there",
      `${rows.withoutFile} files, like ${rows.examples.withoutFile.slice(0, 2).join(", ")}`,
      "nothing has to be done: they are broken already, and the verification counts them as lacking",
    )
  );
};

export const withoutRow: Check = (seen) => {
  const rows = before(seen)?.media?.rows;
  return (
    rows?.withoutRow &&
    note(
      "storage-files-without-row",
      "files that no row stands for",
      `${rows.withoutRow} files${rows.examples.withoutRow.length ? `, like ${rows.examples.withoutRow.slice(0, 2).join(", ")}` : ""}`,
      "they are copied too, to be safe; tootctl media remove-orphans would remove them, before the copy and never during it",
    )
  );
};

export const noCache: Check = (seen) => {
  const storage = seen.migration.storage;
  const cache = before(seen)?.media?.classes["cache"];
  return (
    storage &&
    !storage.cache &&
    cache &&
    cache.files > 0 &&
    warning(
      "storage-cache",
      "cache/ is left behind (mediaCache is false)",
      `${cache.files} files, ${size(cache.bytes)}: pictures, avatars, headers and emoji of other servers`,
      "attachments come back when they are looked at; avatars and emoji only by tootctl accounts refresh, which takes hours. Leave mediaCache at true unless you mean that",
    )
  );
};

export const prunes: Check = (seen) => {
  const storage = seen.migration.storage;
  if (!before(seen) || !storage || (!storage.pruneDays && !storage.pruneCardDays)) return null;
  const what = [
    storage.pruneDays && `attachments of other servers older than ${storage.pruneDays} days`,
    storage.pruneCardDays && `preview cards older than ${storage.pruneCardDays} days`,
  ].filter(Boolean);
  return note(
    "storage-prune",
    "files are dropped before the copy, as you asked",
    what.join(", "),
    "an attachment is fetched again when somebody looks at it, a moment each, as long as its server has it; a card comes back two weeks later at the earliest, when its link is posted again",
  );
};

export const room: Check = (seen) => {
  const app = before(seen);
  const disk = app && diskOf(app, "/var/lib/trunkline");
  return (
    disk &&
    disk.freeBytes < 256 * 1024 ** 2 &&
    error(
      "storage-room",
      "there is no room to work",
      `${size(disk.freeBytes)} free on ${disk.mount}`,
      "free 256 MiB: lists of files are sorted on the disk",
    )
  );
};
