import * as pulumi from "@pulumi/pulumi";
import { factNames, type Facts, factsOf } from "../survey/facts";
import { type Phase, reached } from "../survey/phase";
import { type Latest, latestOf, settled } from "../survey/latest";
import { asBefore, type DnsRecord } from "../survey/records";
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
  /** The source as it was when a run last looked while it still served. */
  latest: pulumi.Output<Latest>;
  /** The DNS records as they were when the migration began. */
  original: pulumi.Output<DnsRecord[]>;
  /** Ids of the media host's records that were there when the stack began: those are adopted. */
  foundRecords: string[];
}

export async function ground(seen: Survey): Promise<Ground> {
  const { migration: m, at } = seen;
  const media = { phase: m.storage?.phase ?? "survey", at: seen.storageAt } as const;
  const kept = await keep(seen);
  const server = serverOf(seen, kept.facts.WEB_DOMAIN);
  const { private: privateKey } = m.key;
  const leaving = m.phase === "survey";
  const onSource = { privateKey, leaving: leaving && media.phase === "survey", address: m.source.host };
  const source = seen.source && new Host("source", { ...m.source, ...onSource });
  const target = server && new Host("target", { ...server, privateKey, leaving });
  const settings = {
    DOMAIN: m.domain,
    SOURCE_ADDRESS: m.source.host,
    TARGET_ADDRESS: server?.address ?? "",
    ...kept.facts,
  };
  const both = { phase: m.phase, at, source, target, media };
  // What lies in a bucket does not move with the server.
  const inBucket = reached(reached(m.phase, at) ? media.phase : media.at, "switch");
  const stage = new Stage({ ...both, settings: { ...settings, ...(inBucket && { MEDIA_DIR: "" }) } });
  const mediaStage = new Stage({ ...both, settings });
  const addresses = { address: server?.address ?? "", ipv6: server?.ipv6 ?? "" };
  return {
    stage,
    mediaStage,
    source,
    target,
    addresses,
    latest: m.target.provider === "none" ? pulumi.output({}) : follow(seen),
    original: kept.records,
    foundRecords: kept.mediaRecords,
  };
}

/** What the stack keeps from its first run. */
interface FirstSeen {
  facts: Partial<Facts>;
  records: DnsRecord[];
  /** Ids. */
  mediaRecords: string[];
  /** Where the migration stood. */
  at: Phase;
}

/**
 * Facts of the source as first seen. A source that is fenced, masked or gone later must not change what the
 * steps are told.
 */
async function keep(seen: Survey): Promise<{
  facts: Record<keyof Facts, pulumi.Output<string>>;
  records: pulumi.Output<DnsRecord[]>;
  mediaRecords: string[];
}> {
  const stash = new pulumi.Stash("first-seen", { input: firstSeen(seen) }, { ignoreChanges: ["input"] });
  const fact = (name: keyof Facts) => stash.output.apply((o: FirstSeen) => o.facts[name] ?? "");
  const { at, mediaRecords } = await new Promise<FirstSeen>((resolve) => stash.output.apply(resolve));
  if (at !== "survey")
    await pulumi.log.warn(
      `this stack has not seen the migration begin: it stood at ${at} already (was its state lost?). ` +
        `DNS records are taken over as they are; how long their TTL was before is not known: set it yourself in the end`,
    );
  return {
    facts: Object.fromEntries(factNames.map((name) => [name, fact(name)])) as Record<
      keyof Facts,
      pulumi.Output<string>
    >,
    records: stash.output.apply((o: FirstSeen) => o.records),
    mediaRecords,
  };
}

/** Follows the source until the app is shifted, and stays from then on. */
function follow({ source, at }: Survey): pulumi.Output<Latest> {
  const latest = latestOf(source);
  const ignoreChanges = settled(latest, at).map((part) => `input.${part}`);
  // Its `output` is the first value for good; its `input` is what the state has after this run.
  return new pulumi.Stash("last-seen", { input: latest }, { ignoreChanges }).input;
}

function firstSeen({ migration, source, dns, mediaRecords, at }: Survey): FirstSeen {
  const ipv6 = source?.host.addresses.ipv6.find((a) => !/^f[cde]/i.test(a));
  return {
    facts: source ? factsOf(source) : {},
    records: reached(at, "switch") ? asBefore(dns, { ipv4: migration.source.host, ipv6 }) : dns,
    mediaRecords: mediaRecords.map((r) => r.id),
    at,
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
