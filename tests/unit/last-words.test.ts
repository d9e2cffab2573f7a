/** What a rehearsal tells of a run that an accident made fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lastWords } from "../../rehearsal/words";

const output = (diagnostics: string) => `Updating (dev):
 ~  command:remote:Command switchover/run updating (0s) [diff: ~stdin]

Diagnostics:
  pulumi:pulumi:Stack (trunkline-dev):
    error: update failed

  ${diagnostics}

Resources:
    2 unchanged
`;

test("a step's own message is told, whatever stands around it", () => {
  const said =
    "trunkline: switchover/run on new (target 198.18.1.10): expected x; found y. What to do: mend it";
  const failed = output(`command:remote:Command (switchover/run):
    error: Process exited with status 1: running "bash /opt/trunkline/scripts/run switchover/run":
    psql: error: not this line
    ${said}`);
  assert.equal(lastWords(failed), said);
});

test("a refusal is told with its reasons, and without the findings that stand below", () => {
  const refused = output(`command:remote:Command (switchover/run):
    error: before hook "gate-switch" failed: switch is refused, and nothing has been changed for it:
      - expected a standby; found another database; do: look
      - expected one thing more; found none; do: look again
    Findings
      note unread: could not be read on the target: database mastodon_production
        found: psql: error: connection to server failed`);
  assert.equal(
    lastWords(refused),
    'before hook "gate-switch" failed: switch is refused, and nothing has been changed for it:' +
      " - expected a standby; found another database; do: look - expected one thing more; found none; do: look again",
  );
});

test("a lock is told by its first line, and a run that said nothing of the kind by its last", () => {
  const locked = "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`."; // prettier-ignore
  assert.equal(
    lastWords(`${locked}\n  file:///x: created by root@host (pid 1)\n`),
    locked.replace("error: ", ""),
  );
  assert.equal(lastWords("Updating (dev):\n\nkilled\n"), "killed");
});
