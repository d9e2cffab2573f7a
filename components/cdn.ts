import * as pulumi from "@pulumi/pulumi";
import type { Migration, Storage } from "../config";
import type { DnsRecord } from "../survey/records";
import type { MediaBucket } from "./bucket";
import { later, type Link } from "./chain";
import { hostRecord } from "./host-record";

export interface CdnArgs {
  storage: Storage;
  dns: Migration["dns"];
  bucket: MediaBucket;
  /** The instance's own name, to which the media host points where its nginx is the CDN. */
  webDomain: pulumi.Input<string>;
  /** The media host's records as they are now. */
  found: DnsRecord[];
  /** Nothing of the media's way has begun: records that are there are adopted, as they are. */
  adopting: boolean;
  /** Ids of records that were there before this stack. */
  foundRecords: string[];
  /** The app uses the media host, or begins to in this run: nothing of it can be destroyed. */
  used: boolean;
  /** Nothing uses it now: it is kept as it was made; the media host's record is left as it is. @default false */
  idle?: boolean;
}

/** What a CDN's file makes. */
export interface Made {
  resources: pulumi.Resource[];
  /** Where the media host's CNAME points; left out where the CDN makes its record itself. */
  target?: pulumi.Input<string>;
  /** What can only be made once the record is there, like a certificate. @default - nothing */
  finish?(record: pulumi.Resource[]): pulumi.Resource[];
}

export type Options = { parent: pulumi.Resource; dependsOn: Promise<pulumi.Resource[]> };

/** What serves the media host: its name in DNS, its certificate, its cache. */
export class MediaCdn extends pulumi.ComponentResource implements Link {
  readonly resources: pulumi.Resource[];
  /** The record that the media host needs, like `media.social.example CNAME d1.cloudfront.net`; "": none. */
  readonly record: pulumi.Output<string>;
  private readonly before = later();

  constructor(name: string, args: CdnArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:MediaCdn", name, {}, opts);
    const child = { parent: this, dependsOn: this.before.promise };
    const { storage, dns, found, adopting, foundRecords } = args;
    const { resources, target, finish } = forCdn(storage.cdn.kind).make(name, args, child);
    const record =
      target === undefined || args.idle
        ? []
        : hostRecord(
            `${name}-record`,
            { dns, host: storage.host, target, found, adopting, foundRecords },
            child,
          );
    this.resources = [...resources, ...record, ...(finish?.(record) ?? [])];
    this.record = pulumi.output(target).apply((t) => (t ? `${storage.host} CNAME ${t}` : ""));
    this.registerOutputs({});
  }

  follow(before: pulumi.Resource[]): void {
    this.before.settle(before);
  }
}

/** A CDN's file is loaded only where it is used, so that nobody needs the plugins of the others. */
function forCdn(kind: Storage["cdn"]["kind"]): { make(name: string, args: CdnArgs, opts: Options): Made } {
  switch (kind) {
    case "nginx":
      return require("./cdn-nginx") as typeof import("./cdn-nginx");
    case "given":
      return require("./cdn-given") as typeof import("./cdn-given");
    case "cloudfront":
      return require("./cdn-cloudfront") as typeof import("./cdn-cloudfront");
    case "r2":
      return require("./cdn-r2") as typeof import("./cdn-r2");
    case "bunny":
      return require("./cdn-bunny") as typeof import("./cdn-bunny");
  }
}
