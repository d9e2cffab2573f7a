/** What goes wrong while media move to a bucket. */
import type { StoreFault } from "../stores";
import { bucketName } from "../media";
import { type Fault, type FaultContext, type Scene, stepStarts } from "./fault";
import { upKilled } from "./kills";

const folder = "/home/mastodon/live/public/system";

function store(c: FaultContext) {
  if (!c.media) throw new Error("this fault needs a store: rehearse object-storage");
  return c.media.store;
}

type Phase = Fault["phase"];

const inObjectStorage = (fault: Omit<Fault, "example">): Fault => ({ ...fault, example: "object-storage" });

/** How many files are in the bucket when something happens in the middle of the bulk copy. */
const copied = 20;

/** The copy begins with nothing, whatever an earlier one has left. */
const emptied = (c: Scene) => c.media!.store.empty(bucketName);

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
    ...(phase === "replicate" ? { before: emptied } : {}),
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

/** Something happens in the middle of the bulk copy: some files are in the bucket, and the rest wait until it has. */
function amidCopy(
  title: string,
  happens: (c: FaultContext) => Promise<unknown>,
  o: Partial<Fault> = {},
): Fault {
  return inObjectStorage({
    title,
    phase: "replicate",
    ...o,
    async before(c) {
      await emptied(c);
      c.media!.store.hold(copied);
    },
    async strike(c) {
      const tooLate = c.run.done.then(() =>
        Promise.reject(new Error("the run ended before the copy's middle")),
      );
      tooLate.catch(() => undefined); // where it is not too late
      try {
        await Promise.race([store(c).gate.faults.hold!.reached, tooLate]);
        await happens(c);
      } finally {
        store(c).heal();
      }
    },
  });
}

/** A script on the instance's host does it. Old links that match `changed` lead to something else afterwards, or nowhere. */
function scripted(
  title: string,
  script: string,
  o: { fails?: Fault["fails"]; changed?: RegExp } = {},
): Fault {
  const { fails = "no", changed } = o;
  return amidCopy(
    title,
    (c) => {
      if (changed) c.media?.forget(changed);
      return c.source.sh(script);
    },
    { fails },
  );
}

const sql = `runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d mastodon_production`;

/** Fetches pictures by the media host's name; what comes is counted by status, as `50 200`. */
const fetchThem = `cd ${folder}; find . -type f -perm -o=r ! -path './backups/*' -printf '%P\n' | sed -n 1,50p |
  while read -r key; do curl -s -o /dev/null -w '%{http_code}\n' "https://media.social.example/$key"; done | sort | uniq -c`;

export const media: Record<string, Fault> = {
  "store-slowdown": inObjectStorage({
    title: "the store answers 503 SlowDown, for twenty seconds to everything, and for as long to uploads",
    phase: "replicate",
    fails: "no",
    before: emptied,
    async strike(c) {
      await stepStarts(c, "storage/copy");
      for (const method of [undefined, "PUT"]) {
        const before = store(c).gate.faults.hit.slowdown;
        store(c).fail({ kind: "slowdown", times: Number.MAX_SAFE_INTEGER, method });
        await Promise.race([c.run.done, new Promise((resolve) => setTimeout(resolve, 20_000))]);
        store(c).heal();
        if (store(c).gate.faults.hit.slowdown === before) throw new Error("no request was slowed down");
      }
    },
  }),
  "store-key-revoked": misbehaves(
    "the key is revoked in the middle of the copy",
    "replicate",
    "storage/copy",
    { kind: "forbidden", times: Number.MAX_SAFE_INTEGER },
    {
      fails: "must",
      says: /the store (refused|did not take the files): .*(403|Forbidden|AccessDenied|InvalidAccessKeyId)/s,
    },
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
    says: /this host's clock is/,
    async strike(c) {
      store(c).gate.clockAheadMs = 20 * 60_000;
      await c.run.done;
      store(c).heal();
    },
  }),
  "store-disk-full": amidCopy(
    "the instance's disk is full in the middle of the copy",
    async (c) => {
      try {
        await c.source.sh("cat /dev/zero >/var/tmp/filler || true");
        store(c).heal();
        await c.run.done;
      } finally {
        // Postgres may have ended itself for want of room; who frees some starts it again.
        await c.source.sh("rm -f /var/tmp/filler; systemctl start postgresql@15-main redis-server");
      }
    },
    { diskMiB: 3000 },
  ),
  "rclone-killed": scripted("rclone is killed in the middle of the copy", "pkill -KILL -x rclone", {
    fails: "may",
  }),
  "media-host-reboot": amidCopy("the instance's host loses power in the middle of the copy", (c) =>
    c.source.reboot(),
  ),
  "media-overwritten": scripted(
    "the app overwrites files that were copied already, and such as are on their way, with others of the same size",
    `find ${folder}/accounts/avatars -path '*/original/*' -type f | while read -r file; do
       head -c "$(stat -c %s "$file")" /dev/urandom >"$file.new"
       chown --reference="$file" "$file.new"; chmod --reference="$file" "$file.new"; mv "$file.new" "$file"
     done
     ${sql} -c "UPDATE accounts SET avatar_updated_at = now(), updated_at = now() WHERE avatar_file_name IS NOT NULL"`,
    { changed: /\/accounts\/avatars\// },
  ),
  "media-deleted": scripted(
    "the app deletes a file that was copied already, and one that was not",
    `threes() { printf '%09d' "$1" | sed 's/.../&\\//g'; }
     account=$(${sql} -c "SELECT id FROM accounts WHERE avatar_file_name IS NOT NULL AND domain IS NULL ORDER BY id LIMIT 1")
     ${sql} -c "UPDATE accounts SET avatar_file_name = NULL, updated_at = now() WHERE id = $account"
     emoji=$(${sql} -c "SELECT id FROM custom_emojis WHERE domain IS NULL ORDER BY id LIMIT 1")
     ${sql} -c "DELETE FROM custom_emojis WHERE id = $emoji"
     rm -r "${folder}/accounts/avatars/$(threes "$account")" "${folder}/custom_emojis/images/$(threes "$emoji")"`,
    { changed: /\/(accounts\/avatars|custom_emojis\/images)\// },
  ),
  "media-odd-names": scripted(
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
    before: emptied,
    async strike(c) {
      await stepStarts(c, "storage/copy");
      await c.source.sh(fetchThem);
      await c.run.done;
      const then = (await c.source.sh(fetchThem)).stdout.trim();
      if (then !== "50 200") throw new Error(`after the copy the media host answers: ${then}`);
    },
  }),
  "kill-up-storage-copy": { ...inObjectStorage(upKilled("replicate", "storage/copy")), before: emptied },
  "kill-up-storage-switch": inObjectStorage(upKilled("switch", "storage/switch")),
  "kill-up-storage-verify": inObjectStorage(upKilled("settle", "storage/verify")),
};
