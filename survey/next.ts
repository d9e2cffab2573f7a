import type { Migration } from "../config";
import { type Phase, reached } from "./phase";

/** What is left to do after a run, in one sentence. */
export function nextOf(migration: Migration, at: Phase): string {
  const { phase, dns } = migration;
  if (phase === "survey")
    return at === "survey"
      ? "nothing has been changed; set phase to prepare (or leave it at settle for the whole migration) and run pulumi up"
      : "no trace is left on the source and the target is removed; run pulumi up once more to clear the stack of steps that are done";
  if (dns.provider !== "none" && at === "survey" && reached(phase, "switch"))
    return "run pulumi up once more: this run adopted the DNS records as they are, the next one points them to the target; until then the source proxies, and nothing breaks";
  const then: Partial<Record<Phase, string>> = {
    prepare:
      "look at the target, wait for the old TTL of the DNS records to pass, then set phase to replicate",
    replicate: "let it follow as long as you like, then set phase to shift",
    shift:
      "the target serves, the data are still the source's: go on to switch soon (every query pays the round trip)",
    switch: "the data live on the target; when you trust it, set phase to settle",
    settle:
      "leave the source proxying for 24 h at least, then set phase to retire and confirmRetire to the domain",
    retire: "nothing: the old server may be deleted once you have no use for its last backup",
  };
  return then[phase] ?? "";
}
