/** What goes wrong while media move to a bucket. */
import type { StoreFault } from "../stores";
import { type Fault, type FaultContext, stepStarts } from "./fault";
import { upKilled } from "./kills";

const folder = "/home/mastodon/live/public/system";

function store(c: FaultContext) {
  if (!c.media) throw new Error("this fault needs a store: rehearse object-storage");
  return c.media.store;
}

type Phase = Fault["phase"];

const inObjectStorage = (fault: Omit<Fault, "example">): Fault => ({ ...fault, example: "object-storage" });

/** The store misbehaves from a step's start on, for so many requests, or until the run has ended. */
function misbehaves(
  title: string,
  phase: Phase,
  step: string,
  fault: StoreFault,
  o: Partial<Fault> = {},
): Fault {
  return inObjectStorage({
    title,
    phase,
    ...o,
    async strike(c) {
      await stepStarts(c, step);
      const before = store(c).gate.faults.hit[fault.kind];
      store(c).fail(fault);
      await c.run.done;
      store(c).heal();
      if (store(c).gate.faults.hit[fault.kind] === before) throw new Error(`${title}: no request was struck`);
    },
  });
}

/** Waits until the first files of the bulk copy are in the bucket: from here on a blow falls into its middle. */
async function copying(c: FaultContext): Promise<void> {
  await stepStarts(c, "storage/copy");
  const end = Date.now() + 60_000;
  while ((store(c).gate.answered.get("PUT 200") ?? 0) < 20) {
    if (Date.now() > end) throw new Error("waited 60 s for the copy to have sent its first files");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Something happens to the disk or the rows while the bulk copy runs. */
function duringCopy(title: string, script: string, fails: Fault["fails"] = "no"): Fault {
  return inObjectStorage({
    title,
    phase: "replicate",
    fails,
    async strike(c) {
      await copying(c);
      await c.source.sh(script);
    },
  });
}

/** As the app replaces a site upload: the file first, then its row. */
const sql = `runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d mastodon_production`;

export const media: Record<string, Fault> = {
  "store-slowdown": misbehaves(
    "the store answers 503 SlowDown to a hundred uploads",
    "replicate",
    "storage/copy",
    {
      kind: "slowdown",
      times: 100,
      method: "PUT",
    },
  ),
  "store-key-revoked": misbehaves(
    "the key is revoked in the middle of the copy",
    "replicate",
    "storage/copy",
    { kind: "forbidden", times: Number.MAX_SAFE_INTEGER },
    { fails: "must", says: /403|Forbidden|InvalidAccessKeyId|key/ },
  ),
  "store-timeouts": misbehaves(
    "the store leaves five uploads without an answer",
    "replicate",
    "storage/copy",
    {
      kind: "timeout",
      times: 5,
      method: "PUT",
    },
  ),
  "store-truncated": misbehaves("ten uploads break off half way", "replicate", "storage/copy", {
    kind: "truncate",
    times: 10,
    method: "PUT",
  }),
  "store-slowdown-switch": misbehaves(
    "the store answers 503 SlowDown while the app is switched",
    "switch",
    "storage/switch",
    {
      kind: "slowdown",
      times: 20,
    },
  ),
  "store-clock": inObjectStorage({
    title: "the store's clock and the server's are twenty minutes apart",
    phase: "prepare",
    fails: "must",
    says: /clock|time/i,
    async strike(c) {
      store(c).gate.clockAheadMs = 20 * 60_000;
      await c.run.done;
      store(c).heal();
    },
  }),
  "store-disk-full": inObjectStorage({
    title: "the instance's disk is full in the middle of the copy",
    phase: "replicate",
    diskMiB: 3000,
    async strike(c) {
      await copying(c);
      await c.source.sh("dd if=/dev/zero of=/var/tmp/filler bs=1M 2>/dev/null; true", { timeoutMs: 60_000 });
      await c.run.done;
      await c.source.sh("rm -f /var/tmp/filler");
    },
  }),
  "rclone-killed": duringCopy("rclone is killed in the middle of the copy", "pkill -KILL -x rclone", "may"),
  "media-host-reboot": inObjectStorage({
    title: "the instance's host loses power in the middle of the copy",
    phase: "replicate",
    async strike(c) {
      await copying(c);
      await c.source.reboot();
    },
  }),
  "media-overwritten": duringCopy(
    "the app overwrites a file that was copied already",
    `row=$(${sql} -c "SELECT id FROM site_uploads WHERE var = 'mascot'")
     file=$(find ${folder}/site_uploads -path "*/$(printf '%03d' "$row")/original/*" -type f | head -n 1)
     head -c 31000 /dev/urandom >"$file.new"; chown --reference="$file" "$file.new"; chmod --reference="$file" "$file.new"
     mv "$file.new" "$file"; ${sql} -c "UPDATE site_uploads SET file_file_size = 31000, file_updated_at = now(), updated_at = now() WHERE id = $row"`,
  ),
  "media-deleted": duringCopy(
    "the app deletes a file during the copy",
    `row=$(${sql} -c "SELECT id FROM custom_emojis WHERE domain IS NULL ORDER BY id LIMIT 1")
     ${sql} -c "DELETE FROM custom_emojis WHERE id = $row"
     find ${folder}/custom_emojis -path "*/$(printf '%03d' "$row")/*" -type f -delete`,
  ),
  "media-odd-names": duringCopy(
    "files with odd names: blanks, umlauts, +, #, % and quotes",
    `name="Bild ä+#%20'ß 1.png"; row=$(${sql} -c "INSERT INTO site_uploads (var, file_content_type, file_file_name, file_file_size,
       file_updated_at, created_at, updated_at) VALUES ('odd', 'image/png', \\$\\$$name\\$\\$, 5, now(), now(), now()) RETURNING id")
     folder=${folder}/site_uploads/files/000/000/$(printf '%03d' "$row")/original
     install -d -o mastodon -g mastodon "$folder"; printf bytes >"$folder/$name"; chown -R mastodon:mastodon "$folder"`,
  ),
  "cdn-cached-404": inObjectStorage({
    title: "the media host was asked for files before they were there",
    phase: "replicate",
    fails: "no",
    async strike(c) {
      await stepStarts(c, "storage/copy");
      await c.source.sh(
        `cd ${folder}; find . -type f -perm -o=r -printf '%P\\n' | head -n 50 |
         while read -r key; do curl -s -o /dev/null "https://media.social.example/$key"; done`,
      );
    },
  }),
  "kill-up-storage-copy": inObjectStorage(upKilled("replicate", "storage/copy")),
  "kill-up-storage-switch": inObjectStorage(upKilled("switch", "storage/switch")),
  "kill-up-storage-verify": inObjectStorage(upKilled("settle", "storage/verify")),
};
