import * as cloudflare from "@pulumi/cloudflare";
import { kept } from "./bucket";
import { placeOf } from "./bucket-r2";
import type { CdnArgs, Made, Options } from "./cdn";

/** R2's own domain for a bucket: Cloudflare makes its record and its certificate itself. */
export function make(name: string, { storage, dns, used }: CdnArgs, opts: Options): Made {
  const zoneId = cloudflare.getZoneOutput({ filter: { name: dns.zone } }, { parent: opts.parent }).zoneId;
  const domain = new cloudflare.R2CustomDomain(
    `${name}-domain`,
    { ...placeOf(storage), domain: storage.host, zoneId, enabled: true, minTls: "1.2" },
    kept(opts, used),
  );
  return { resources: [domain] };
}
