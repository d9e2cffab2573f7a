import { Resolver } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import https from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import type { Env } from "./config";
import { sign } from "./signature";

/** The system's. */
export const trustStore = "/etc/ssl/certs/ca-certificates.crt";

export interface Answer {
  status: number;
  body: Buffer;
}

export interface Outgoing {
  method: "GET" | "POST";
  url: string;
  body?: string;
  headers?: Record<string, string>;
  key?: { keyId: string; privateKey: string };
}

/**
 * Requests to other servers: names by DNS only (never /etc/hosts), asked anew each time; certificates by the system's trust
 * store; private addresses refused unless ALLOWED_PRIVATE_ADDRESSES has them.
 */
export class Web {
  private readonly agent: https.Agent;
  private readonly private_ = blockList(privateNetworks);
  private readonly allowed: BlockList;

  constructor(env: Env) {
    this.allowed = blockList((env.ALLOWED_PRIVATE_ADDRESSES ?? "").split(/\s*,\s*/).filter(Boolean));
    const ca = existsSync(trustStore) ? readFileSync(trustStore) : undefined;
    this.agent = new https.Agent({ keepAlive: true, maxFreeSockets: 64, ca, lookup: this.lookup });
  }

  /** Once more, at once, when the other side had closed the kept-alive connection under the request. */
  async request(o: Outgoing): Promise<Answer> {
    const url = new URL(o.url);
    if (url.protocol !== "https:") throw new Error(`${o.url} is not https`);
    const plain = {
      accept: "application/activity+json, application/ld+json",
      "user-agent": "Mastodon/4.5.15",
    };
    const signed = o.key ? sign({ ...o, url }, o.key) : { ...o.headers, host: url.host };
    const options = { method: o.method, headers: { ...plain, ...signed } };
    return this.once(url, options, o.body).catch((e: Error & { stale?: boolean }) => {
      if (!e.stale) throw e;
      return this.once(url, options, o.body);
    });
  }

  private once(url: URL, options: https.RequestOptions, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = https.request(url, { ...options, agent: this.agent, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (c: Buffer) => chunks.push(c));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
        response.on("error", reject);
      });
      request.on("timeout", () =>
        request.destroy(new Error(`HTTP::TimeoutError: ${url.host} did not answer in 10 s`)),
      );
      request.on("error", (e) => reject(Object.assign(e, { stale: request.reusedSocket })));
      request.end(body);
    });
  }

  private readonly lookup: LookupFunction = (name, options, callback) => {
    this.addresses(name).then(
      ([first = "", ...rest]) =>
        options.all
          ? callback(
              null,
              [first, ...rest].map((address) => ({ address, family: isIP(address) })),
            )
          : callback(null, first, isIP(first)),
      (e: NodeJS.ErrnoException) => callback(e, "", 4),
    );
  };

  /** A resolver made for each question, so that a changed resolv.conf counts at once. */
  private async addresses(name: string): Promise<string[]> {
    const resolver = new Resolver({ timeout: 5000, tries: 1 });
    const none = () => [] as string[];
    const [six, four] = await Promise.all([
      resolver.resolve6(name).catch(none),
      resolver.resolve4(name).catch(none),
    ]);
    const usable = [...six.slice(0, 2), ...four.slice(0, 2)].filter((a) => !this.refused(a));
    if (usable.length === 0) throw Object.assign(new Error(`No address for ${name}`), { code: "ENOTFOUND" });
    return usable;
  }

  private refused(address: string): boolean {
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    return this.private_.check(address, family) && !this.allowed.check(address, family);
  }
}

const privateNetworks = [
  ...[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
  ],
  ...["192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4"],
  ...["240.0.0.0/4", "::1/128", "fc00::/7", "fe80::/10"],
];

/** Networks in CIDR notation or single addresses. */
export function blockList(networks: string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  return list;
}
