import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { Door } from "./door";

/** What a CDN was told of a site. */
export interface CdnSite {
  /** Where it fetches what it does not have: the request's path is added. `https://bucket.s3…` or a store's `origin` with the bucket. */
  origin: string;
  /** Name that it asks the origin for. @default - the origin's own */
  hostHeader?: string;
  /** How long answers are kept that say nothing of it themselves, in seconds by status. @default 200: a day, 403 and 404: 10 s, as CloudFront */
  keepSeconds?: Record<number, number>;
  /** Headers that it adds to every answer. @default - none */
  headers?: Record<string, string>;
}

interface Kept {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  until: number;
}

const usual: Record<number, number> = { 200: 86_400, 403: 10, 404: 10 };

/** Headers that belong to one connection. */
const hops = ["connection", "keep-alive", "transfer-encoding", "content-length", "date"];

/** A CDN: it serves names, keeps what it has fetched, misses too, and fetches the rest from an origin. */
export class Cdn {
  private readonly sites = new Map<string, CdnSite>();
  private readonly kept = new Map<string, Kept>();
  /** How many answers came from the cache, and how many from an origin. */
  readonly answered = { hit: 0, miss: 0 };

  constructor(
    private readonly door: Door,
    /** The authority's certificate by which it knows its origins. */
    private readonly authority: string,
  ) {}

  get address(): string {
    return this.door.address;
  }

  /** Serves a site under these names from now on, with TLS. */
  async serve(names: string[], site: CdnSite): Promise<void> {
    for (const name of names) this.sites.set(name, site);
    await this.door.serve(names, (req, res) => this.handle(req, res));
  }

  forget(name: string): void {
    this.sites.delete(name);
    this.door.forget(name);
    this.purge(name);
  }

  /** Throws away what is kept for a name, or for one path of it. */
  purge(name: string, path?: string): void {
    for (const key of [...this.kept.keys()])
      if (path === undefined ? key.startsWith(`${name}/`) : key === name + path) this.kept.delete(key);
  }

  private async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const host = (req.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const site = this.sites.get(host);
    if (!site) return void res.writeHead(421).end();
    if (!["GET", "HEAD", "OPTIONS"].includes(req.method ?? "")) return void res.writeHead(405).end();
    // A query is not part of what is kept, as CDNs are set for files.
    const key = host + (req.url ?? "/").replace(/\?.*/, "");
    const found = req.method === "OPTIONS" ? undefined : this.kept.get(key);
    const hit = found !== undefined && found.until > Date.now();
    const answer = hit ? found : await this.fetch(site, key.slice(host.length), req);
    if (!hit && answer.until > Date.now() && req.method === "GET") this.kept.set(key, answer);
    this.answered[hit ? "hit" : "miss"]++;
    this.send(req, res, site, answer, hit);
  }

  private send(req: IncomingMessage, res: ServerResponse, site: CdnSite, answer: Kept, hit: boolean): void {
    const headers = { ...answer.headers, ...site.headers, "x-cache": hit ? "HIT" : "MISS" };
    const part = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? "");
    if (req.method === "HEAD" || answer.status !== 200 || !part) {
      const length = answer.headers["content-length"] ?? String(answer.body.length);
      res.writeHead(answer.status, { ...headers, "content-length": length });
      return void res.end(req.method === "HEAD" ? undefined : answer.body);
    }
    const [from, to] = [Number(part[1]), Math.min(Number(part[2] || Infinity), answer.body.length - 1)];
    const range = `bytes ${from}-${to}/${answer.body.length}`;
    res.writeHead(206, { ...headers, "content-range": range, "content-length": String(to - from + 1) });
    res.end(answer.body.subarray(from, to + 1));
  }

  private fetch(site: CdnSite, path: string, req: IncomingMessage): Promise<Kept> {
    const url = new URL(site.origin + path);
    const { origin, ...rest } = pick(req.headers, [
      "origin",
      "access-control-request-method",
      "access-control-request-headers",
    ]);
    const headers = { ...rest, ...(origin && { origin }), ...(site.hostHeader && { host: site.hostHeader }) };
    const module = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const on = module.request(url, {
        method: req.method,
        headers,
        ca: this.authority,
        agent: false,
        timeout: 30_000,
      });
      on.once("error", reject).once("timeout", () => on.destroy(new Error("the origin is silent")));
      on.once("response", (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (data: Buffer) => parts.push(data)).once("error", reject);
        answer.once("end", () => resolve(keep(site, answer, Buffer.concat(parts))));
      });
      on.end();
    });
  }
}

function keep(site: CdnSite, answer: IncomingMessage, body: Buffer): Kept {
  const status = answer.statusCode ?? 502;
  const said = answer.headers["cache-control"] ?? "";
  const age = /(?:s-maxage|max-age)=(\d+)/.exec(said)?.[1];
  const own = { ...usual, ...site.keepSeconds }[status] ?? 0;
  const seconds = /no-store|private/.test(said) ? 0 : status === 200 && age !== undefined ? Number(age) : own;
  const headers = Object.fromEntries(
    Object.entries(answer.headers).filter(
      ([name]) => !hops.includes(name) || (name === "content-length" && body.length === 0),
    ),
  );
  return { status, headers, body, until: Date.now() + seconds * 1000 };
}

function pick(headers: IncomingHttpHeaders, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((n) => (headers[n] === undefined ? [] : [[n, String(headers[n])]])),
  );
}
