/** What nginx is told while one web process takes over from another (`scripts/storage/route.py`). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const script = path.join(__dirname, "../../scripts/storage/route.py");
const upstream = `upstream backend {
  server 127.0.0.1:3000 fail_timeout=0;
}
`;
const server = `server {
  listen 443 ssl;
  location / { proxy_pass http://backend; }
}
`;
const site = upstream + server;

/** What becomes of a file; `others` are further files of nginx that lead to the web process. */
function route(what: string, text = site, others: string[] = []): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), "route-"));
  try {
    const files = [text, ...others].map((content, i) => {
      writeFileSync(path.join(dir, `${i}`), content);
      return path.join(dir, `${i}`);
    });
    const args = ["-B", script, what, "127.0.0.1:3000", "3999", files[0]!, "", ...files];
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

test("a site whose upstream stands in another file is led apart, and that file only as a whole", () => {
  const text = route("writes", server, [upstream]);
  assert.match(text, /proxy_pass http:\/\/\$trunkline_web_0;/);
  assert.deepEqual([leads(text, "GET"), leads(text, "POST")], ["backend", "trunkline_next_web"]);
  assert.equal(route("writes", upstream, [server]), upstream);
  assert.equal(route("all", server, [upstream]), server);
  assert.equal(route("all", upstream, [server]), upstream.replace("127.0.0.1:3000", "127.0.0.1:3999"));
});

test("a snippet with no more than a `proxy_pass` to an upstream is led by that", () => {
  const snippet = "location @proxy { proxy_pass http://backend; }\n";
  assert.equal(route("writes", snippet, [upstream]), snippet);
});

test("everything goes to the second process by its address in the first one's place", () => {
  assert.equal(route("all"), site.replace("127.0.0.1:3000", "127.0.0.1:3999"));
});
