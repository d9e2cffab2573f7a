import * as pulumi from "@pulumi/pulumi";
import { factNames, type Facts, factsOf } from "../survey/facts";
import { reached } from "../survey/phase";
import type { DnsRecord } from "../survey/records";
import { Host } from "./host";
import { targetServer, type TargetServer } from "./server";
import { Stage } from "./stage";
import type { Survey } from "./survey";

/** What the steps stand on: facts that stay, the two servers, the stage. */
export interface Ground {
  stage: Stage;
  /** The stage of the media's way to a bucket; theirs is the disk that the server's move has no part in. */
  mediaStage: Stage;
  source?: Host;
  target?: Host;
  /** The target's addresses, "" where there is no target. */
  addresses: { address: pulumi.Input<string>; ipv6: pulumi.Input<string> };
  /** The DNS records as they were when the migration began. */
  original: pulumi.Output<DnsRecord[]>;
}

export function ground(seen: Survey): Ground {
  const { migration: m, at } = seen;
  const media = { phase: m.storage?.phase ?? "survey", at: seen.storageAt } as const;
  const kept = keep(seen);
  const server = serverOf(seen, kept.facts.WEB_DOMAIN);
  const { private: privateKey } = m.key;
  const leaving = m.phase === "survey";
  const onSource = { privateKey, leaving: leaving && media.phase === "survey", address: m.source.host };
  const source = seen.source && new Host("source", { ...m.source, ...onSource });
  const fresh = server?.fresh && !seen.target;
  const target = server && new Host("target", { ...server, privateKey, leaving, fresh });
  const settings = {
    DOMAIN: m.domain,
    SOURCE_ADDRESS: m.source.host,
    SOURCE_SSH_PORT: String(m.source.port),
    SOURCE_SSH_USER: m.source.user,
    TARGET_ADDRESS: server?.address ?? "",
    ...kept.facts,
  };
  const both = { phase: m.phase, at, source, target, media };
  // What lies in a bucket does not move with the server.
  const inBucket = reached(reached(m.phase, at) ? media.phase : media.at, "switch");
  const stage = new Stage({ ...both, settings: { ...settings, ...(inBucket && { MEDIA_DIR: "" }) } });
  const mediaStage = new Stage({ ...both, settings });
  const addresses = { address: server?.address ?? "", ipv6: server?.ipv6 ?? "" };
  return { stage, mediaStage, source, target, addresses, original: kept.records };
}

/**
 * Facts of the source as first seen. A source that is fenced, masked or gone later must not change what the
 * steps are told.
 */
function keep({ source, dns }: Survey): {
  facts: Record<keyof Facts, pulumi.Output<string>>;
  records: pulumi.Output<DnsRecord[]>;
} {
  const input = { facts: source ? factsOf(source) : {}, records: dns };
  const stash = new pulumi.Stash("first-seen", { input }, { ignoreChanges: ["input"] });
  const fact = (name: keyof Facts) =>
    stash.output.apply((o: { facts: Partial<Facts> }) => o.facts[name] ?? "");
  return {
    facts: Object.fromEntries(factNames.map((name) => [name, fact(name)])) as Record<
      keyof Facts,
      pulumi.Output<string>
    >,
    records: stash.output.apply((o: { records: DnsRecord[] }) => o.records),
  };
}

/**
 * On the way back to `survey` the server is not wanted any more: it is used as it was found, and what is not
 * registered the engine deletes when all steps are through.
 */
function serverOf(seen: Survey, reverseName: pulumi.Input<string>): TargetServer | undefined {
  const { migration, there, made } = seen;
  if (migration.phase === "survey") return there && { ...there, address: there.host, ipv6: "", fresh: false };
  return targetServer({ migration, made, reverseName, protect: reached(migration.phase, "switch") });
}
