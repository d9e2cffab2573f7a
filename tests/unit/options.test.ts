/** The rehearsal's command line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, UsageError } from "../../rehearsal/options";

test("without a word it is a live move; its report is named after the example", () => {
  const o = parseOptions([]);
  assert.deepEqual([o.example, o.html, o.back], ["live-move", "runs/live-move.html", false]);
  const media = parseOptions(["object-storage", "--store", "b2", "--back"]);
  assert.deepEqual(
    [media.example, media.store, media.html],
    ["object-storage", "b2", "runs/object-storage.html"],
  );
});

test("what can't be understood is named, with what can be", () => {
  for (const [argv, says] of [
    [["moon-landing"], /live-move, object-storage/],
    [["object-storage", "--store", "floppy"], /other, s3, r2, b2/],
    [["object-storage", "--fault", "disk-full-promote"], /is for live-move/],
    [["--fault", "rclone-killed"], /is for object-storage/],
    [["--fault", "nothing"], /"nothing" is not known; .*--fault list/],
    [["--fault", "constructor"], /"constructor" is not known/],
    [["--fault", "kill-up-settle", "--back"], /turns round before it/],
    [["--rtt", "much"], /whole number/],
    [["--source", "compose"], /is for object-storage/],
  ] as const)
    assert.throws(() => parseOptions([...argv]), (e) => e instanceof UsageError && says.test(e.message)); // prettier-ignore
});
