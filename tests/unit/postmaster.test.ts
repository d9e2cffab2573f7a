/** Starting Postgres past systemd's idea of it (`scripts/switchover/postmaster.py`). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const folder = path.join(__dirname, "../../scripts/switchover");

/** What systemctl was asked while the unit was in that state and no postmaster ran. */
function asked(state: string): string[] {
  const dir = mkdtempSync(path.join(os.tmpdir(), "postmaster-"));
  try {
    const systemctl = `#!/bin/sh\necho "$1" >>${dir}/asked\n[ "$1" != show ] || echo ${state}\n`;
    writeFileSync(path.join(dir, "systemctl"), systemctl, { mode: 0o755 });
    const script = `import sys; sys.path.insert(0, "${folder}"); import postmaster
postmaster.Postmaster("${dir}", "postgresql@15-main.service").start_if_dropped()`;
    execFileSync("python3", ["-B", "-c", script], {
      env: { ...process.env, PATH: `${dir}:${process.env["PATH"]}` },
    });
    return readFileSync(path.join(dir, "asked"), "utf8").trim().split("\n");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("a start that systemd took for done, since it had not seen the end yet, is asked for again", () => {
  assert.deepEqual(asked("inactive"), ["show", "reset-failed", "start"]);
});

test("a start that is under way is left alone, and one that failed is not repeated for ever", () => {
  for (const state of ["activating", "active", "deactivating", "failed"])
    assert.deepEqual(asked(state), ["show"], state);
});
