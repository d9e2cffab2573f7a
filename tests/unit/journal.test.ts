/** The switchover's journal: what it says was written down is whole, also on a disk that runs full in the middle of a line. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const scripts = path.join(__dirname, "../../scripts/switchover");
const survey = ["survey", "lib"].map((folder) => path.join(__dirname, "../../scripts", folder));

/** A file size limit cuts a write short just as a full disk does. */
const program = `
import resource, signal, sys
from journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(sys.argv[1])
journal.start("forward")
journal.write("step", n=1, name="connect")
size = len(open(sys.argv[1]).read())
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
try:
    journal.write("step", n=8, name="promote")
    print("written")
except OSError as error:
    print(error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.write("undone")
print(len(Journal(sys.argv[1]).unfinished()))`;

test("a line that did not fit is an error, and leaves nothing behind", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "journal-"));
  try {
    const file = path.join(dir, "journal.jsonl");
    const said = execFileSync("python3", ["-B", "-c", program, file], {
      encoding: "utf8",
      env: { ...process.env, PYTHONPATH: scripts },
    });
    assert.deepEqual(said.trim().split("\n"), [`no space left for the journal in ${file}`, "0"]);
    const events = readFileSync(file, "utf8").trim().split("\n");
    assert.deepEqual(
      events.map((line) => (JSON.parse(line) as { event: string }).event),
      ["start", "step", "undone"],
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** Three moves, as switchover.py writes them down; after each the survey says where the data have been brought. */
const moves = `
import json, sys, traces
from journal import Journal
traces.STATE = sys.argv[1]
journal, told = Journal(sys.argv[1] + "/switchover.jsonl"), []
for direction, reached, *end in json.loads(sys.argv[2]):
    journal.start(direction)
    for n, name in list(enumerate(("connect", "pause", "promote", "tidy"), 1))[:reached]:
        journal.write("step", n=n, name=name)
    for event in end:
        journal.write(event)
    told.append(traces.journal()["promoted"])
print(json.dumps(told))`;

test("the survey reads in the journal whether the data were brought to the target", () => {
  const told = (...runs: [direction: "forward" | "back", reached: number, end?: "done" | "undone"][]) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "journal-"));
    const env = { ...process.env, PYTHONPATH: [scripts, ...survey].join(":") };
    const out = execFileSync("python3", ["-B", "-c", moves, dir, JSON.stringify(runs)], {
      encoding: "utf8",
      env,
    });
    rmSync(dir, { recursive: true });
    return JSON.parse(out) as boolean[];
  };
  assert.deepEqual(told(["forward", 2, "undone"], ["forward", 4, "done"]), [false, true]);
  assert.deepEqual(told(["forward", 3, "undone"], ["forward", 3]), [false, true]);
  assert.deepEqual(told(["forward", 4, "done"], ["back", 3, "undone"], ["back", 4, "done"]), [
    true,
    true,
    false,
  ]);
});
