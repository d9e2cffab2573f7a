import * as pulumi from "@pulumi/pulumi";
import { kept } from "./bucket";
import type { CdnArgs, Made, Options } from "./cdn";

/** A pull zone before the bucket; `providers/stores/bunny.ts` makes it. @stateful */
class PullZone extends pulumi.CustomResource {
  declare readonly hostname: pulumi.Output<string>;

  constructor(
    name: string,
    args: { apiKey: pulumi.Input<string>; name: string; origin: pulumi.Input<string> },
    opts: pulumi.CustomResourceOptions,
  ) {
    super("stores:bunny:PullZone", name, { ...args, hostname: undefined }, opts);
  }
}

/** The media host on a pull zone, with its certificate. */
class Hostname extends pulumi.CustomResource {
  constructor(
    name: string,
    args: { apiKey: pulumi.Input<string>; zone: pulumi.Input<string>; host: string },
    opts: pulumi.CustomResourceOptions,
  ) {
    super("stores:bunny:Hostname", name, args, opts);
  }
}

/** bunny.net before the bucket. Its certificate can only be had once the record is there. */
export function make(name: string, { storage, bucket, used }: CdnArgs, opts: Options): Made {
  const own = kept(opts, used);
  const apiKey = pulumi.secret(storage.cdn.key);
  const zone = new PullZone(
    `${name}-zone`,
    { apiKey, name: storage.host.replaceAll(".", "-"), origin: bucket.publicUrl },
    own,
  );
  const host = (record: pulumi.Resource[]) =>
    new Hostname(
      `${name}-host`,
      { apiKey, zone: zone.id, host: storage.host },
      { ...own, dependsOn: record },
    );
  return { resources: [zone], target: zone.hostname, finish: (record) => [host(record)] };
}
