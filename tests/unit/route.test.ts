/** What nginx is told while one web process takes over from another (`scripts/storage/route.py`). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const script = path.join(__dirname, "../../scripts/storage/route.py");
const site = `upstream backend {
  server 127.0.0.1:3000 fail_timeout=0;
}
server {
  listen 443 ssl;
  location / { proxy_pass http://backend; }
}
`;

function route(what: string): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), "route-"));
  try {
    writeFileSync(path.join(dir, "site"), site);
    const args = ["-B", script, what, "127.0.0.1:3000", "3999", path.join(dir, "site")];
    return execFileSync("python3", args).toString();
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Which upstream a request by this method goes to, as nginx reads the map. */
function leads(text: string, method: string): string | undefined {
  const map = /map \$request_method \$trunkline_web_0 \{([^}]*)\}/.exec(text)?.[1] ?? "";
  const lines = new Map([...map.matchAll(/(\w+) (\w+);/g)].map(([, name = "", to = ""]) => [name, to]));
  return lines.get(method) ?? lines.get("default");
}

test("writes, or reads, are led to the second process, and the rest stays with the first", () => {
  for (const [what, read, write] of [
    ["writes", "backend", "trunkline_next_web"],
    ["reads", "trunkline_next_web", "backend"],
  ] as const) {
    const text = route(what);
    assert.match(text, /upstream trunkline_next_web \{\s+server 127\.0\.0\.1:3999/);
    assert.match(text, /proxy_pass http:\/\/\$trunkline_web_0;/);
    for (const method of ["GET", "HEAD", "OPTIONS"]) assert.equal(leads(text, method), read, what);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.equal(leads(text, method), write, what);
  }
});

test("everything goes to the second process by its address in the first one's place", () => {
  assert.equal(route("all"), site.replace("127.0.0.1:3000", "127.0.0.1:3999"));
});
