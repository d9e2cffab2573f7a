import { readFileSync } from "node:fs";
import type { Clouds } from "./clouds";
import {
  bucketFiles,
  type BucketPlace,
  type Host,
  mediaBooks,
  missingOnDisk,
  type Place,
  Site,
} from "./judge";
import type { Lab } from "./lab";
import { LinkWatch } from "./links";
import type { MediaBooks } from "./report/model";
import { type ObjectStore, r2Account, startStores, type StoreKind, type Stores } from "./stores";

export const mediaHost = "media.social.example";
export const bucketName = "social-example-media";

/** Any will do: the stand-in takes whoever comes for the admin. */
const awsAdmin = { "aws:accessKey": "AKIAREHEARSAL0000000", "aws:secretKey": "rehearsal".padEnd(40, "0") };

/** How many of the old links others keep fetching. */
const watchedLinks = 60;

/** The part of the world that the media move to: a store, what its admin knows of it, and those who fetch pictures. */
export class MediaWorld {
  private watch?: LinkWatch;
  private missingBefore: ReadonlySet<string> = new Set();
  private privateBefore: ReadonlySet<string> = new Set();

  private constructor(
    private readonly lab: Lab,
    readonly kind: StoreKind,
    readonly stores: Stores,
  ) {}

  static async start(lab: Lab, kind: StoreKind): Promise<MediaWorld> {
    return new MediaWorld(lab, kind, await startStores({ dir: lab.dir, ca: lab.ca, kinds: [kind] }));
  }

  get store(): ObjectStore {
    return this.stores.store(this.kind);
  }

  /** What the admin writes into the stack's configuration; what he has to make by hand is made. */
  async config(clouds: Clouds): Promise<{ plain: Record<string, string>; secret: Record<string, string> }> {
    this.stores.announce(clouds.api);
    const plain = { mediaStore: this.kind, mediaBucket: bucketName, mediaHost };
    if (this.kind === "s3") return { plain: { ...plain, mediaRegion: this.store.region }, secret: awsAdmin };
    if (this.kind === "r2") return { plain: { ...plain, cloudflareAccountId: r2Account }, secret: {} };
    if (this.kind === "other") await this.store.makeBucket(bucketName);
    const key =
      this.kind === "b2" ? clouds.api.b2MasterKey() : await this.store.makeKey({ bucket: bucketName });
    const keys = { plain: { mediaAccessKey: key.accessKey }, secret: { mediaSecretKey: key.secretKey } };
    const where = { mediaEndpoint: this.store.endpoint, mediaRegion: this.store.region };
    return {
      plain: { ...plain, ...keys.plain, ...(this.kind === "other" ? where : {}) },
      secret: keys.secret,
    };
  }

  /** Others link to what is there now, and go on fetching it until the end. */
  async open(host: Host, domain: string, place?: Place): Promise<void> {
    const site = new Site(host, place);
    this.missingBefore = await missingOnDisk(site);
    this.privateBefore = await site.privateFiles();
    // An archive's address is told to nobody but its owner, and in a bucket it is signed.
    const open = [...(await site.mediaFiles())].filter(
      ([key]) => !this.privateBefore.has(key) && !key.startsWith("backups/"),
    );
    const every = Math.max(1, Math.floor(open.length / watchedLinks));
    const links = open
      .filter((_, i) => i % every === 0)
      .map(([key, { sha256 }]) => ({ url: `https://${domain}/system/${key}`, sha256 }));
    this.watch = new LinkWatch({ links, ca: this.authority });
  }

  /** Files whose links match are about to be others, or gone, and rightly so. */
  forget(which: RegExp): void {
    this.watch?.forget(which);
  }

  /** Every object of the bucket, by its key. */
  files(): ReturnType<typeof bucketFiles> {
    return bucketFiles(this.place());
  }

  /** Keys of what is not the same on the disk and in the bucket. */
  async unequal(host: Host, place?: Place): Promise<Set<string>> {
    const [objects, files] = await Promise.all([this.files(), new Site(host, place).mediaFiles()]);
    const keys = new Set([...objects.keys(), ...files.keys()]);
    return new Set([...keys].filter((key) => objects.get(key)?.sha256 !== files.get(key)?.sha256));
  }

  /** The account of the media; the links are those fetched since `open`. */
  async books(host: Host, place?: Place): Promise<MediaBooks> {
    const books = await mediaBooks(new Site(host, place), {
      bucket: this.place(),
      missingBefore: this.missingBefore,
      privateBefore: this.privateBefore,
      objectAcl: this.store.settings(bucketName).acl === "object",
    });
    const { watch } = this;
    const told = (watch?.broken ?? [])
      .slice(0, 3)
      .map((b) => `link broken at ${new Date(b.t).toISOString().slice(11, 23)}: ${b.why}`);
    return {
      ...books,
      brokenLinks: books.brokenLinks + (watch?.broken.length ?? 0),
      linksFetched: watch?.fetched,
      findings: [...books.findings, ...told],
    };
  }

  /** How many fetches of old links were led to the media host so far. */
  get redirected(): number {
    return this.watch?.redirected ?? 0;
  }

  async stop(): Promise<void> {
    await this.watch?.stop();
    await this.stores.stop();
  }

  private get authority(): string {
    return readFileSync(this.lab.ca.certPath, "utf8");
  }

  private place(): BucketPlace {
    const { origin, root, region } = this.store;
    const open = [this.store.publicUrl(bucketName), `https://${mediaHost}`];
    return { origin: `${origin}/${bucketName}`, owner: root, region, open, ca: this.authority };
  }
}
