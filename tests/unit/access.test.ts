import assert from "node:assert/strict";
import { test } from "node:test";
import { strayed } from "../../components/access";
import { Stage } from "../../components/stage";
import type { Phase } from "../../survey/phase";

const ours = ["ssh-ed25519 AAAA1\n", "ssh-ed25519 AAAA2"];
const mine = ["ssh-ed25519 AAAA1 trunkline-tunnel", "ssh-ed25519 AAAA2 trunkline-read"];
const seen = (at: Phase, granted: string[] | undefined) =>
  strayed(ours, { stage: new Stage({ phase: "settle", at, settings: {} }), user: "root", granted });

test("keys that somebody replaced or removed on the source are granted anew", () => {
  assert.equal(seen("replicate", mine), "");
  const other = ["ssh-ed25519 AAAA9 trunkline-tunnel", mine[1]!];
  assert.equal(seen("replicate", other), other.join(", "));
  assert.equal(seen("settle", []), "none");
});

test("nothing is said of keys that were not granted yet, are not wanted any more, or could not be read", () => {
  assert.equal(seen("survey", []), "");
  assert.equal(seen("prepare", []), "");
  assert.equal(seen("retire", []), "");
  assert.equal(seen("replicate", undefined), "");
});
