import type { RunResult } from "../stack";
import { lastWords } from "../words";
import { type Fault, type FaultContext, stepStarts } from "./fault";

/** The first step of another stack would put its own keys here, and cut off the first run's. */
const keys = "cat /root/.ssh/authorized_keys";

async function refused(c: FaultContext, up: Promise<RunResult>, says: RegExp): Promise<void> {
  const before = await c.source.sh(keys);
  const { ok, output } = await up;
  if (ok || !says.test(output))
    throw new Error(`a second \`up\` should have been refused by ${says}:\n${output}`);
  const after = await c.source.sh(keys);
  if (before.stdout !== after.stdout)
    throw new Error("a second `up` was refused, and had changed the keys on the source before");
  c.log(`the second \`up\` says: ${lastWords(output)}`);
}

/** Puts another key in the tunnel's line. */
const replaceKey = `
  rm -f /run/stale /run/stale.pub
  ssh-keygen -q -t ed25519 -N '' -C '' -f /run/stale
  sed -i "s|ssh-ed25519 [^ ]* trunkline-tunnel$|$(cut -d' ' -f1,2 /run/stale.pub) trunkline-tunnel|" /root/.ssh/authorized_keys`;

export const operators: Record<string, Fault> = {
  "two-ups-at-once": {
    title: "a second `pulumi up` while the first runs: of the same stack, and of another operator's",
    phase: "replicate",
    fails: "no",
    async strike(c) {
      const other = await c.otherStack();
      await other.setConfig({ phase: "replicate" });
      await stepStarts(c, "database/publish");
      await refused(c, other.up().done, /another run is at work on the source/);
      await refused(c, c.stack.up().done, /the stack is currently locked/);
    },
  },
  "stale-tunnel-key": {
    title: "the tunnel's key on the source replaced by another",
    phase: "replicate",
    fails: "must",
    says: /trunkline-tunnel in root's authorized_keys/,
    async strike(c) {
      await stepStarts(c, "database/publish");
      await c.source.sh(replaceKey);
    },
  },
};
