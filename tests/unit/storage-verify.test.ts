/** How the verification accounts for what has no object (`scripts/storage/verify.py`), however many there are. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const folder = path.join(__dirname, "../../scripts/storage");

/** Verifies fakes: `rows` (key → when it changed), `objects` (key → when it was stored), `files` on the disk; what was deleted, too. */
const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
import objects, verify
objects.KNOWN = objects.RUN = sys.argv[2]
given = json.load(sys.stdin)
deleted = []

class Rows:
    def sized(self, since=None):
        return ((key, None) for key, changed in given["rows"].items() if since is None or changed >= since)
    def keys(self, since):
        return (key for key, _ in self.sized(since))

class Store:
    def list(self):
        return ((key, 1, "", stored) for key, stored in sorted(given["objects"].items()))
    def head(self, key):
        return given["objects"].get(key)
    def delete(self, key):
        deleted.append(key)

class Media(objects.Media):
    def __init__(self):
        self.settings, self.store, self.root, self.cache, self.acls = {"SAMPLE": ""}, Store(), sys.argv[2] + "/media", True, True
    def rows(self):
        return Rows()

print(json.dumps({**verify.Verification(Media()).run(), "deleted": deleted}))
`;

interface Fakes {
  rows?: Record<string, number>;
  objects?: Record<string, number>;
  files?: string[];
}
interface Found {
  missing: number;
  lacking: number;
  orphans: number;
  removed: number;
  examples: Record<string, string[]>;
  deleted: string[];
}

/** Verifies as often as asked, on a host that copied and was switched in second 10,000; the last result. */
function verify(fakes: Fakes, times = 1): Found {
  const dir = mkdtempSync(path.join(os.tmpdir(), "verify-"));
  try {
    for (const [name, text] of Object.entries({ switched: "10000", mark: "1000" }))
      writeFileSync(path.join(dir, name), text);
    for (const file of [...(fakes.files ?? []), ".trunkline/x"]) {
      mkdirSync(path.join(dir, "media", path.dirname(file)), { recursive: true });
      writeFileSync(path.join(dir, "media", file), "x");
    }
    const input = JSON.stringify({ rows: {}, objects: {}, ...fakes });
    const run = () => execFileSync("python3", ["-B", "-c", script, folder, dir], { input }).toString();
    for (let n = 1; n < times; n++) run();
    return JSON.parse(run()) as Found;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("a file that was lost since the switch is missing, also behind ten thousand that never were", () => {
  const old = Array.from({ length: 12_000 }, (_, n) => [`accounts/avatars/${n + 1e6}`, 5000] as const);
  const late = "media_attachments/files/last";
  const found = verify({ rows: { ...Object.fromEntries(old), [late]: 20_000 } });
  assert.deepEqual([found.missing, found.lacking], [1, 12_000]);
  assert.deepEqual(found.examples["missing"], [late]);
});

const deleted = "media_attachments/files/000/000/001/original/gone.png";
const left: Fakes = {
  rows: { "accounts/avatars/000/000/002/original/row.png": 5000 },
  objects: {
    [deleted]: 5000,
    "accounts/avatars/000/000/002/original/row.png": 5000,
    "accounts/avatars/000/000/002/odd/of-a-row.png": 5000,
    "media_attachments/files/000/000/003/original/on-the-disk.png": 5000,
    "media_attachments/files/000/000/004/original/after-the-switch.png": 20_000,
    "media_attachments/files/000/000/005/original/just-before.png": 9900,
    "somebody-elses/000/000/006/original/notes.txt": 5000,
  },
  files: ["media_attachments/files/000/000/003/original/on-the-disk.png"],
};

test("what was deleted while nobody watched is removed: no row, no file, stored from the disk, Mastodon's own", () => {
  const found = verify(left);
  assert.deepEqual(found.deleted, [deleted]);
  assert.deepEqual([found.removed, found.orphans, found.missing], [1, 5, 0]);
});

test("a later verification removes nothing: by then the disk may have been cleaned", () => {
  assert.deepEqual(verify(left, 2).deleted, []);
});
