/** A bucket as the judge reads it: by the owner's hand for what is in it, without a signature for what anyone can see. */
import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { type Credentials, signed } from "../stores/sign";

export interface BucketPlace {
  /** Where the owner reaches the store, with the bucket: `http://127.0.0.1:PORT/BUCKET`. */
  origin: string;
  owner: Credentials;
  region: string;
  /** The URLs under which anyone may try to read an object, without a slash at the end. */
  open: string[];
  /** The authority's certificate, PEM. */
  ca: string;
}

export interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Asks once; follows nothing. */
export function ask(url: URL, ca: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const module = url.protocol === "https:" ? https : http;
    const request = module.request(url, { headers, ca, agent: false, timeout: 20_000 });
    request.once("error", reject).once("timeout", () => request.destroy(new Error(`${url.href} is silent`)));
    request.once("response", (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part)).once("error", reject);
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    });
    request.end();
  });
}

export class BucketView {
  constructor(private readonly place: BucketPlace) {}

  /** Every object's key and size, in order. */
  async *list(): AsyncGenerator<{ key: string; bytes: number }> {
    for (let after = ""; ;) {
      const query = `?list-type=2&max-keys=1000${after && `&start-after=${encodeURIComponent(after)}`}`;
      const page = (await this.owner(query)).body.toString();
      for (const [, item = ""] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        after = plain(/<Key>(.*?)<\/Key>/s.exec(item)?.[1] ?? "");
        yield { key: after, bytes: Number(/<Size>(\d+)/.exec(item)?.[1]) };
      }
      if (!page.includes("<IsTruncated>true</IsTruncated>")) return;
    }
  }

  /** An object whole, with its checksum. */
  async read(key: string): Promise<Got & { sha256: string }> {
    const got = await this.owner(`/${path(key)}`);
    return { ...got, sha256: createHash("sha256").update(got.body).digest("hex") };
  }

  /** The addresses under which anyone gets an object's bytes. */
  async openAt(key: string): Promise<string[]> {
    const urls = this.place.open.map((base) => new URL(`${base}/${path(key)}`));
    const seen = await Promise.all(urls.map((url) => ask(url, this.place.ca)));
    return urls.filter((_, i) => seen[i]?.status === 200).map((url) => url.href);
  }

  private async owner(target: string): Promise<Got> {
    const url = new URL(this.place.origin + target);
    const headers = signed({ method: "GET", url }, this.place.owner, this.place.region);
    return ask(url, this.place.ca, headers);
  }
}

export const path = (key: string) => key.split("/").map(encodeURIComponent).join("/");

function plain(xml: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return xml.replaceAll(/&(?:(\w+)|#(\d+));/g, (whole, name?: string, n?: string) =>
    name ? (named[name] ?? whole) : String.fromCodePoint(Number(n)),
  );
}
