import * as pulumi from "@pulumi/pulumi";
import { reached } from "../survey/phase";
import type { Host } from "./host";
import { bootSeconds, patiently } from "./patience";
import { runOver } from "./ssh";
import type { Stage } from "./stage";
import { encodeSettings, scriptsFolder } from "./step";

/** What a gate's script found, in its last line. */
export interface Verdict {
  /** Why not; empty: go on. */
  refusals: {
    expected: string;
    found: string;
    remedy: string;
    /** It may come by itself: something is starting, or connecting anew. */
    passing?: boolean;
  }[];
}

export interface GateArgs {
  stage: Stage;
  /**
   * Stands before this phase; `scripts/gate/PHASE.sh` looks on the target, `gate/proxy.sh` before the shift on the
   * source too, and they change nothing.
   */
  before: "shift" | "switch";
  carryRedis: boolean;
}

/**
 * Looks at the world just before a step is made or changed, and refuses in its own words, in the preview too.
 * A hook that runs *after* a step would not do: the step would count as done, and the next run would not look
 * again.
 */
export function gate(args: GateArgs): pulumi.ResourceHook | undefined {
  const { stage, before } = args;
  const target = stage.host("target");
  // Nothing to guard where the phase is passed, or gone back from: the switchover proves the way back itself.
  if (!target || !reached(stage.phase, before) || reached(stage.at, before)) return undefined;
  const hook = async () => {
    const ready = reached(stage.at, before === "shift" ? "replicate" : "shift");
    if (pulumi.runtime.isDryRun() && !ready) {
      await pulumi.log.info(
        `gate before ${before}: looks when it is reached; the phases before it come first`,
      );
      return;
    }
    const CARRY_REDIS = args.carryRedis ? "yes" : "no";
    const PREVIEW = pulumi.runtime.isDryRun() ? "yes" : "no";
    const settings = { WANT: "present", ...stage.settings, CARRY_REDIS, PREVIEW };
    const look = (host: Host, script: string) =>
      patiently(
        () => ask(host, script, { ...settings, SIDE: host.name }),
        (stdout) => passing(verdictOf(stdout)),
        { seconds: bootSeconds, say: (line) => pulumi.log.info(`gate before ${before}: ${line}`) },
      );
    refuse(before, await look(target, `gate/${before}`));
    const source = stage.host("source");
    if (before === "shift" && source) refuse(before, await look(source, "gate/proxy"));
  };
  return new pulumi.ResourceHook(`gate-${before}`, hook, { onDryRun: true });
}

/** What a gate's script on a host says: a read-only look, over a connection of its own. */
export async function ask(
  host: Host,
  script: string,
  settings: Record<string, pulumi.Input<string>>,
): Promise<string> {
  const { address, hostKey, known } = await value(
    pulumi.output({ address: host.address, hostKey: host.hostKey, known: settings }),
  );
  const server = {
    side: host.name,
    host: address,
    port: host.port,
    user: host.user,
    privateKey: host.privateKey,
  };
  const command = `${host.sudo}bash ${scriptsFolder}/run ${script}`;
  const answer = await runOver({ ...server, pinned: { hostKey } }, command, encodeSettings(known), 60_000);
  if (answer.code !== 0) throw new Error(`${script} could not look:\n${answer.stderr.trim()}`);
  return answer.stdout;
}

function verdictOf(stdout: string): Verdict {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Verdict;
}

/** What to wait for; nothing where a reason stands among the others that no wait can change. */
export function passing({ refusals }: Verdict): string[] {
  return refusals?.every((r) => r.passing) ? refusals.map((r) => r.expected) : [];
}

/** @throws Error with every reason, if there is one. */
export function refuse(before: string, stdout: string): void {
  const { refusals } = verdictOf(stdout);
  if (!refusals?.length) return;
  const reasons = refusals.map((r) => `  - expected ${r.expected}; found ${r.found}; do: ${r.remedy}`);
  throw new Error(`${before} is refused, and nothing has been changed for it:\n${reasons.join("\n")}`);
}

/** An output's value, once what it comes from is done. */
function value<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve, reject) => {
    pulumi.output(output).apply((v) => resolve(v as pulumi.Unwrap<T>));
    setTimeout(() => reject(new Error("the server's address is not known yet")), 30_000).unref();
  });
}
