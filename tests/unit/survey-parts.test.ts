/** Parts of the survey's script that need no host: what they make of what they are given. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const scripts = path.join(__dirname, "../../scripts");

/** What an expression over `given` comes to, with modules of the survey at hand. */
function python(imports: string, expression: string, given: unknown): unknown {
  const script = `
import json, sys
sys.path[:0] = ["survey", "lib"]
import ${imports}
given = json.loads(sys.argv[1])
print(json.dumps(${expression}))`;
  const said = execFileSync("python3", ["-B", "-c", script, JSON.stringify(given)], { cwd: scripts });
  return JSON.parse(said.toString());
}

test("what the app reaches on its own host is told, by its host alone", () => {
  const cases: [Record<string, string>, string[]][] = [
    [{ SMTP_SERVER: "smtp.mail.example" }, []],
    [{}, ["SMTP_SERVER is not set"]],
    [{ SMTP_SERVER: "localhost" }, ["SMTP_SERVER is localhost"]],
    [{ SMTP_SERVER: "::1" }, ["SMTP_SERVER is ::1"]],
    [{ SMTP_DELIVERY_METHOD: "sendmail" }, ["SMTP_DELIVERY_METHOD is sendmail"]],
    [{ SMTP_DELIVERY_METHOD: "none" }, []],
    [{ SMTP_SERVER: "m.example", BULK_SMTP_SERVER: "127.0.0.2" }, ["BULK_SMTP_SERVER is 127.0.0.2"]],
    [
      { SMTP_SERVER: "m.example", http_proxy: "http://me:secret@127.0.0.1:8118" },
      ["http_proxy is 127.0.0.1"],
    ],
    [{ SMTP_SERVER: "m.example", http_proxy: "http://[nonsense" }, []],
    [{ SMTP_SERVER: "m.example", STATSD_ADDR: "localhost:8125" }, ["STATSD_ADDR is localhost"]],
    [{ SMTP_SERVER: "m.example", S3_ENDPOINT: "http://127.0.0.1:9000" }, []],
    [
      { SMTP_SERVER: "m.example", S3_ENABLED: "true", S3_ENDPOINT: "http://127.0.0.1:9000" },
      ["S3_ENDPOINT is 127.0.0.1"],
    ],
    [
      { SMTP_SERVER: "m.example", LIBRE_TRANSLATE_ENDPOINT: "http://[::1]:5000" },
      ["LIBRE_TRANSLATE_ENDPOINT is ::1"],
    ],
    [{ SMTP_SERVER: "m.example", LDAP_ENABLED: "true" }, ["LDAP_HOST is not set"]],
    [{ SMTP_SERVER: "m.example", LDAP_ENABLED: "true", LDAP_HOST: "ldap.example" }, []],
    [{ SMTP_SERVER: "m.example", PAM_ENABLED: "true" }, ["PAM_ENABLED is true"]],
    [{ SMTP_SERVER: "m.example", CAS_URL: "https://localhost:8443/cas" }, []],
    [
      { SMTP_SERVER: "m.example", CAS_ENABLED: "true", CAS_URL: "https://localhost:8443/cas" },
      ["CAS_URL is localhost"],
    ],
  ];
  for (const [env, told] of cases)
    assert.deepEqual(python("nearby", "nearby.services(given)", env), told, JSON.stringify(env));
});

test("DisableForwarding makes nothing of AllowTcpForwarding, for the survey and for the step", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-sshd-"));
  const env = { ...process.env, PATH: `${dir}:${process.env["PATH"]}`, SOURCE_SSH_USER: "root" };
  try {
    for (const [disable, allow, told] of [
      ["no", "yes", "yes"],
      ["no", "local", "local"],
      ["yes", "yes", "no"],
    ] as const) {
      const says = { allowtcpforwarding: allow, disableforwarding: disable };
      const lines = Object.entries(says).map((pair) => pair.join(" "));
      writeFileSync(path.join(dir, "sshd"), `#!/bin/sh\ncat <<.\n${lines.join("\n")}\n.\n`, { mode: 0o755 });
      const step = execFileSync("bash", ["-c", ". access/grant.sh; sshd_forwards"], { cwd: scripts, env });
      assert.equal(step.toString().trim(), told);
      assert.equal(python("machine", "machine.forwarding(given)", says), told);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("files beside .env.production are told where they set what differs from host to host, without values", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-beside-"));
  try {
    writeFileSync(path.join(dir, ".env.production"), "DB_HOST=localhost\n");
    writeFileSync(path.join(dir, ".env.production.local"), "LOG_LEVEL=debug\nexport DB_PASS='x y'\n");
    writeFileSync(path.join(dir, ".env"), "NODE_ENV=production\n");
    assert.deepEqual(python("mastodon", "mastodon.shadows(given)", dir), [
      { file: path.join(dir, ".env.production.local"), names: ["DB_PASS"] },
    ]);
    // .env loses to .env.production: only what that does not say counts.
    writeFileSync(path.join(dir, ".env"), "DB_HOST=elsewhere\nREDIS_HOST=elsewhere\n");
    assert.deepEqual(python("mastodon", "mastodon.shadows(given)[1:]", dir), [
      { file: path.join(dir, ".env"), names: ["REDIS_HOST"] },
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
