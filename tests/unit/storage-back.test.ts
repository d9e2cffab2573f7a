/** How files of the bucket come to the disk on the way back (`scripts/storage/back.py`), beside an app that writes there. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const folder = path.join(__dirname, "../../scripts/storage");

/** Places a file while an app makes the same folders and writes into them, as soon as one of ours is there. */
const script = `
import os, sys
sys.path.insert(0, sys.argv[1])
import back

root, key = sys.argv[2], "media_attachments/files/117/1/original/"

class Media:
    root, settings = root, {"APP_UID": str(os.getuid()), "APP_GID": str(os.getgid())}
    def path(self, key):
        return os.path.join(root, key)

it = back.Back(Media())
os.makedirs(os.path.join(it.half, key))
with open(os.path.join(it.half, key + "bucket.png"), "w"):
    pass
ours = os.mkdir

def mkdir(name, *more, **others):
    ours(name, *more, **others)
    os.mkdir = ours
    os.makedirs(os.path.join(root, key), exist_ok=True)
    with open(os.path.join(root, key + "app.png"), "w"):
        pass

os.mkdir = mkdir
it.place(key + "bucket.png", False)
print(*sorted(os.listdir(os.path.join(root, key))), it.got)
`;

test("a file finds its place where the app makes the same folders at that moment", () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "back-"));
  try {
    const said = execFileSync("python3", ["-B", "-c", script, folder, root], { encoding: "utf8" });
    assert.equal(said, "app.png bucket.png 1\n");
  } finally {
    rmSync(root, { recursive: true });
  }
});
