/** How each store is called: the names that a program reaches it by, and the region that it signs for. */

export type StoreKind = "s3" | "r2" | "b2" | "other";

export const storeKinds: readonly StoreKind[] = ["other", "s3", "r2", "b2"];

/** The account that the lab has at Cloudflare; part of R2's endpoint. */
export const r2Account = "0f4a1b2c3d4e5f60718293a4b5c6d7e8";

export interface StoreNames {
  region: string;
  /** Host of the S3 API; a bucket is the first part of its path, or of its name. */
  host: string;
  /** Other names of the same. */
  aliases: string[];
}

/** As the vendors have them: the lab's DNS leads these names to the lab's stores. */
export const storeNames: Record<StoreKind, StoreNames> = {
  other: { region: "eu-1", host: "s3.store.example", aliases: [] },
  s3: { region: "eu-central-1", host: "s3.eu-central-1.amazonaws.com", aliases: [] },
  r2: { region: "auto", host: `${r2Account}.r2.cloudflarestorage.com`, aliases: [] },
  b2: { region: "eu-central-003", host: "s3.eu-central-003.backblazeb2.com", aliases: [] },
};

/** Buckets of which everyone may read something are reached at this URL without a signature. */
export function publicUrl(kind: StoreKind, bucket: string): string {
  const { host } = storeNames[kind];
  return kind === "other" ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

/** What a request is about, from its host and path as they stand on the wire. */
export function parseTarget(
  host: string,
  url: string,
  apiHost: string,
): { bucket: string; key: string; query: string } {
  const [path = "", query = ""] = split(url, "?");
  const parts = path.slice(1);
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (name.endsWith(`.${apiHost}`))
    return { bucket: name.slice(0, -apiHost.length - 1), key: decode(parts), query };
  const [bucket = "", key = ""] = split(parts, "/");
  return { bucket: decode(bucket), key: decode(key), query };
}

function split(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
