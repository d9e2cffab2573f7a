/** The account of the media after they moved to a bucket: rows, disk and bucket, each read by the judge himself. */
import type { MediaBooks } from "../report/model";
import { Account } from "./account";
import { type BucketPlace, BucketView } from "./bucket";
import { type Implied, impliedFiles } from "./implied";
import type { Site } from "./site";

export interface MediaOptions {
  bucket: BucketPlace;
  /** Keys that rows implied and no disk had before anything began: nobody can bring those. */
  missingBefore: ReadonlySet<string>;
  /** Keys that not everyone could read before: they have to stay private. */
  privateBefore: ReadonlySet<string>;
  /** Whether the store lets single objects be private; where it can't, private files have to stay out of it. */
  objectAcl: boolean;
  /** Whether cache/ was to be copied. @default true */
  cache?: boolean;
}

type Disk = Map<string, { sha256: string; bytes: number }>;

/** What every object of Mastodon's says of itself. */
const forEver = "public, max-age=315576000, immutable";

/** Which of the keys that the rows imply are not on the disk. */
export async function missingOnDisk(site: Site): Promise<Set<string>> {
  const disk = await site.mediaFiles();
  return new Set([...(await impliedFiles(site)).keys()].filter((key) => !disk.has(key)));
}

/** Every object with the checksum of its bytes, as `Site.mediaFiles` has those of the disk. */
export async function bucketFiles(place: BucketPlace): Promise<Disk> {
  const bucket = new BucketView(place);
  const files: Disk = new Map();
  for await (const { key, bytes } of bucket.list())
    files.set(key, { bytes, sha256: (await bucket.read(key)).sha256 });
  return files;
}

/** Looks at every key. Nobody may be writing. */
export async function mediaBooks(site: Site, o: MediaOptions): Promise<MediaBooks> {
  const account = new Account();
  const bucket = new BucketView(o.bucket);
  const [implied, disk] = [await impliedFiles(site), await site.mediaFiles()];
  for (const file of implied.values()) file.secret ||= o.privateBefore.has(file.key);
  const books: MediaBooks = {
    objects: 0,
    bytes: 0,
    missing: 0,
    wrong: 0,
    brokenLinks: 0,
    privateExposed: 0,
    withheld: 0,
    findings: [],
  };
  const there = new Set<string>();
  for await (const object of bucket.list()) {
    books.objects++;
    books.bytes += object.bytes;
    there.add(object.key);
    for (const wrong of await faultsOf(bucket, object, implied.get(object.key), disk)) {
      books.wrong++;
      account.wrong("object wrong", wrong);
    }
  }
  for (const file of implied.values()) {
    if (there.has(file.key) || o.missingBefore.has(file.key)) continue;
    if (file.key.startsWith("cache/") && o.cache === false) continue;
    if (file.secret && !o.objectAcl && disk.has(file.key)) {
      books.withheld++;
      continue;
    }
    books.missing++;
    account.wrong("object missing", file.key);
  }
  await lookFromOutside(bucket, implied, disk, account, books);
  if (books.objects === 0) account.wrong("nothing to compare", "the bucket is empty");
  return { ...books, findings: account.findings() };
}

/** What is wrong with an object: its size by the row, its bytes by the disk, what it says of itself. */
async function faultsOf(
  bucket: BucketView,
  { key, bytes }: { key: string; bytes: number },
  row: Implied | undefined,
  disk: Disk,
): Promise<string[]> {
  const got = await bucket.read(key);
  const copy = disk.get(key);
  const { "content-type": type = "", "cache-control": keep = "" } = got.headers;
  return [
    got.status !== 200 && `${key}: the store answers ${got.status}`,
    row?.bytes !== undefined && row.bytes !== bytes && `${key}: ${bytes} bytes, its row says ${row.bytes}`,
    copy && copy.sha256 !== got.sha256 && `${key}: other bytes than on the disk`,
    row && row.type !== "" && row.type !== type && `${key}: served as ${type}, and is ${row.type}`,
    row && keep !== forEver && `${key}: Cache-Control is "${keep}"`,
  ].filter((wrong) => wrong !== false && wrong !== undefined);
}

/** What was private stays so under every address; anything else can be read by anyone. */
async function lookFromOutside(
  bucket: BucketView,
  implied: Map<string, Implied>,
  disk: Disk,
  account: Account,
  books: MediaBooks,
): Promise<void> {
  for (const file of implied.values()) {
    if (!file.secret) continue;
    const at = await bucket.openAt(file.key);
    if (at.length === 0) continue;
    books.privateExposed++;
    account.wrong("private file exposed", at.join(" and "));
  }
  const open = [...implied.values()].filter((f) => !f.secret && disk.has(f.key));
  for (const file of open.filter((_, i) => i % Math.ceil(open.length / 200) === 0)) {
    if ((await bucket.openAt(file.key)).length > 0) continue;
    books.brokenLinks++;
    account.wrong("link broken", `${file.key} can be read nowhere`);
  }
}
