import * as pulumi from "@pulumi/pulumi";
import type { Storage } from "../config";
import { later, type Link } from "./chain";

/** A bucket for media at any store, with the app's key. */
export interface Bucket {
  store: Storage["store"];
  name: string;
  /** https://HOST of the S3 API, without the bucket; "" at AWS, where the SDK knows it. */
  endpoint: pulumi.Input<string>;
  region: pulumi.Input<string>;
  /** The bucket is the first part of the path, not of the host name. */
  pathStyle: boolean;
  accessKey: pulumi.Input<string>;
  secretKey: pulumi.Input<string>;
  /** Single objects can be private. */
  objectAcl: boolean;
  /** The ACL that the app gives its uploads; "" where there is none to give. */
  permission: "public-read" | "";
  /** URL of the objects for anonymous reads, no slash at the end. */
  publicUrl: pulumi.Input<string>;
}

export interface BucketArgs {
  storage: Storage;
  /** The instance's domain, by which the store's own lists show whose bucket it is. */
  domain: string;
  /** The app uses the bucket, or begins to in this run: nothing of it can be destroyed. */
  used: boolean;
  /** Nothing uses it now: it is kept as it was made, and the app has no key. @default false */
  idle?: boolean;
}

/** The app's key, and the resources that it consists of. */
export type AppKey = Pick<Bucket, "accessKey" | "secretKey"> & { resources: pulumi.Resource[] };

/** What a store's file makes: the bucket, the resources that everything else waits for, and a key when it is asked. */
export type Made = Omit<Bucket, "store" | "name" | keyof AppKey> & {
  resources: pulumi.Resource[];
  key(): AppKey;
};

export type Options = { parent: pulumi.Resource; dependsOn: Promise<pulumi.Resource[]> };

/** The bucket for media, at the store that the configuration names. @stateful */
export class MediaBucket extends pulumi.ComponentResource implements Bucket, Link {
  readonly store: Storage["store"];
  readonly name: string;
  readonly endpoint: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  readonly pathStyle: boolean;
  readonly accessKey: pulumi.Output<string>;
  readonly secretKey: pulumi.Output<string>;
  readonly objectAcl: boolean;
  readonly permission: "public-read" | "";
  readonly publicUrl: pulumi.Output<string>;
  readonly resources: pulumi.Resource[];
  private readonly before = later();

  constructor(name: string, args: BucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:MediaBucket", name, {}, opts);
    const made = forStore(args.storage.store).make(name, args, {
      parent: this,
      dependsOn: this.before.promise,
    });
    const key = args.idle ? { accessKey: "", secretKey: "", resources: [] } : made.key();
    this.store = args.storage.store;
    this.name = args.storage.bucket;
    this.endpoint = pulumi.output(made.endpoint);
    this.region = pulumi.output(made.region);
    this.pathStyle = made.pathStyle;
    this.accessKey = pulumi.secret(key.accessKey);
    this.secretKey = pulumi.secret(key.secretKey);
    this.objectAcl = made.objectAcl;
    this.permission = made.permission;
    this.publicUrl = pulumi.output(made.publicUrl);
    this.resources = [...made.resources, ...key.resources];
    this.registerOutputs({});
  }

  follow(before: pulumi.Resource[]): void {
    this.before.settle(before);
  }
}

/** Never deleted with a stack or on the way back: media are not ours to throw away. */
export function kept<T extends Options>(opts: T, used: boolean): T & pulumi.CustomResourceOptions {
  return { ...opts, protect: used, retainOnDelete: true };
}

/** The app's key: as long as the app uses it nothing can take it away, and after that it goes. */
export function keyOf<T extends Options>(opts: T, used: boolean): T & pulumi.CustomResourceOptions {
  return { ...opts, protect: used, retainOnDelete: used };
}

/** A store's file is loaded only where it is used, so that nobody needs the plugins of the others. */
function forStore(store: Storage["store"]): { make(name: string, args: BucketArgs, opts: Options): Made } {
  switch (store) {
    case "s3":
      return require("./bucket-s3") as typeof import("./bucket-s3");
    case "r2":
      return require("./bucket-r2") as typeof import("./bucket-r2");
    case "b2":
      return require("./bucket-b2") as typeof import("./bucket-b2");
    case "other":
      return require("./bucket-other") as typeof import("./bucket-other");
  }
}
