/** Remote servers and readers that keep fetching links to pictures, the old ones above all, before, during and after. */
import { createHash } from "node:crypto";
import { ask } from "./judge/bucket";

export interface LinkWatchOptions {
  /** The links, each with the checksum of what it led to at first. */
  links: { url: string; sha256: string }[];
  ca: string;
  /** How many fetches a second. @default 5 */
  rate?: number;
}

/** A link that did not lead to its file. */
export interface Broken {
  t: number;
  url: string;
  why: string;
}

/** As a Mastodon server does: at most three redirects. */
const maxRedirects = 3;

export class LinkWatch {
  fetched = 0;
  /** How many of them were led to another host. */
  redirected = 0;
  readonly broken: Broken[] = [];
  private links: LinkWatchOptions["links"];
  private running = true;
  private readonly loop: Promise<void>;

  constructor(private readonly o: LinkWatchOptions) {
    this.links = o.links;
    this.loop = this.run();
  }

  /** From now on nobody asks for these: what they lead to is about to change. */
  forget(which: RegExp): void {
    this.links = this.links.filter(({ url }) => !which.test(url));
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.loop;
  }

  private async run(): Promise<void> {
    const pause = 1000 / (this.o.rate ?? 5);
    for (let i = 0; this.running && this.links.length > 0; i++) {
      const began = Date.now();
      const link = this.links[i % this.links.length]!;
      const why = await this.fetch(link).catch((e: Error) => e.message);
      this.fetched++;
      // One that was forgotten meanwhile may have led to either.
      if (why && this.links.includes(link)) this.broken.push({ t: began, url: link.url, why });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + pause - Date.now())));
    }
  }

  /** Why a link is broken, if it is. */
  private async fetch(link: { url: string; sha256: string }): Promise<string | undefined> {
    let url = new URL(link.url);
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const got = await ask(url, this.o.ca);
      if (got.status >= 300 && got.status < 400 && got.headers.location) {
        const next = new URL(got.headers.location, url);
        if (next.host !== url.host) this.redirected++;
        url = next;
        continue;
      }
      if (got.status !== 200) return `${url.href} answered ${got.status}`;
      const same = createHash("sha256").update(got.body).digest("hex") === link.sha256;
      return same ? undefined : `${url.href} has other bytes`;
    }
    return `more than ${maxRedirects} redirects`;
  }
}
