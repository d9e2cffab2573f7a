/** What the check of the media host makes of a cache that has kept a 404 (`scripts/storage/check.py`), asked over HTTP. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import path from "node:path";

const folder = path.join(__dirname, "../../scripts/storage");
const key = "accounts/avatars/000/000/001/original/a.png";

/** Checks one file through a media host on loopback; what is wrong. */
const script = `
import json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
import check, objects
url, check.FORGETS = sys.argv[2], float(sys.argv[3])
folder = tempfile.TemporaryDirectory()
root = folder.name
path = os.path.join(root, "${key}")
os.makedirs(os.path.dirname(path))
with open(path, "w") as file:
    file.write("picture")

class Store:
    def head(self, key):
        return {"content-type": "image/png"} if key == "${key}" else None

class Media(objects.Media):
    def __init__(self):
        self.settings = {"MEDIA_HOST": "x", "WEB_DOMAIN": "y", "BUCKET": "social", "PUBLIC_URL": url + "/store", "MEDIA_CDN": "given"}
        self.root, self.store = root, Store()

it = check.Check(Media())
it.base = url
it.one("${key}")
print(json.dumps(it.wrong))
`;

/** Whether the cache gives a 404 that it has kept, and what the store itself answers. */
let kept = true;
let storeSays = 200;
let server: Server;
let url: string;

before(async () => {
  server = createServer((req, res) => {
    const asked = (req.url ?? "").replace(/\?.*/, "");
    const status = asked === `/store/${key}` ? storeSays : asked === `/${key}` && !kept ? 200 : 404;
    const headers = {
      "content-type": "image/png",
      "cache-control": "max-age=9",
      "access-control-allow-origin": "*",
    };
    res.writeHead(status, { ...headers, ...(kept && { age: "7" }) }).end(status === 200 ? "picture" : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

/** @param heard told of what it says while it works. @default - nobody is */
async function check(
  forgets: number,
  heard = (_said: string) => undefined as void,
): Promise<{ wrong: string[]; said: string }> {
  const child = spawn("python3", ["-B", "-c", script, folder, url, String(forgets)], {
    env: { ...process.env, no_proxy: "*" },
  });
  let [out, said] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => heard((said += data.toString())));
  await new Promise((resolve) => child.once("close", resolve));
  return { wrong: JSON.parse(out || "null") as string[], said };
}

test("a cache that has kept a 404 from before is waited for", async () => {
  [kept, storeSays] = [true, 200];
  const { wrong, said } = await check(120, (line) => {
    if (line.includes("waiting")) kept = false;
  });
  assert.deepEqual(wrong, [], said);
  assert.match(said, /has kept a 404 .* waiting up to 120 s/);
});

test("one that does not forget is named, with what to do", async () => {
  [kept, storeSays] = [true, 200];
  const { wrong } = await check(3);
  assert.equal(wrong.length, 1);
  assert.match(wrong[0]!, /the media host's cache \(given\) has kept an answer.*purge that cache/);
});

test("what the store itself refuses is not taken for the cache's doing", async () => {
  [kept, storeSays] = [true, 403];
  const { wrong, said } = await check(120);
  assert.match(wrong[0]!, /the store itself says 403 to everyone/);
  assert.equal(said, "");
});
