import * as pulumi from "@pulumi/pulumi";
import type { Migration, Storage } from "../config";
import { MediaBucket } from "./bucket";
import { MediaCdn } from "./cdn";
import { chain } from "./chain";

/**
 * What tells a bucket and its CDN from all others. A run that came to its end with them leaves it in the stack's
 * outputs as `mediaMade`.
 */
export function madeAs({ store, account, region, bucket, cdn, host }: Storage): string {
  return [store, account, region, bucket, cdn.kind, host].filter(Boolean).join(" ");
}

/**
 * Where nothing has begun, or all is back at its beginning: bucket and CDN stay in the stack as long as the
 * configuration names them, if it has made them once, so that another way forward finds them. What it has never
 * made, or made in part, is none of it.
 *
 * @returns outputs.
 */
export async function keptMedia({ storage, dns, domain }: Migration): Promise<Record<string, string>> {
  if (!storage || (await madeBefore()) !== madeAs(storage)) return {};
  const unused = { storage, used: false, idle: true };
  const bucket = new MediaBucket("bucket", { ...unused, domain });
  const noRecord = { found: [], foundRecords: [], adopting: false };
  const cdn = new MediaCdn("cdn", { ...unused, ...noRecord, dns, bucket, webDomain: domain });
  chain([bucket, cdn]);
  return { mediaMade: madeAs(storage) };
}

/** The stack's own output, as the last run that came to its end has left it. */
async function madeBefore(): Promise<unknown> {
  const self = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
  return new pulumi.StackReference(self).getOutputValue("mediaMade");
}
