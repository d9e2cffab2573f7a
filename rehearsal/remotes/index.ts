import { readFileSync } from "node:fs";
import path from "node:path";
import { Child } from "../people/child";
import type { FediverseOptions, RemotesStats } from "./fediverse";

export type { RemotesStats } from "./fediverse";

export interface RemotesOptions {
  domain: string;
  /** Path of the certificate authority's certificate. */
  caPath: string;
  /** Certificate for `hosts`: PEM texts or paths. */
  certificate: { cert: string; key: string };
  /** Host names of the remote servers; DNS has to lead them to `address`. @default remote1.example to remote3.example */
  hosts?: string[];
  /** Where they listen. @default 198.18.2.1 */
  address?: string;
  /** @default 443 */
  port?: number;
  /** Port of the instance. @default 443 */
  instancePort?: number;
  /** Name servers. @default the lab's */
  dns?: string[];
  /** Folder for the records. */
  dir: string;
  /** Local user names that the remotes follow and mention. */
  targets: string[];
  /** @default 2 */
  actorsPerHost?: number;
  /** Activities a second, all servers together. @default 3 */
  rate?: number;
  /** Looks a second at pictures of the instance by addresses from before. @default 2 */
  linkRate?: number;
  /** Mastodon retries after 15, 16, 31, 96, … s; these are multiplied by this. @default 0.05 */
  timeScale?: number;
}

export const remoteHosts = ["remote1.example", "remote2.example", "remote3.example"];

/** Remote servers at work, in a process of their own. */
export class Remotes {
  /** What was delivered, dropped, put off, and received: a JSON object a line. */
  readonly records: string;

  private constructor(
    private readonly child: Child,
    readonly hosts: string[],
    dir: string,
  ) {
    this.records = path.join(dir, "remotes.jsonl");
  }

  static async start(o: RemotesOptions): Promise<Remotes> {
    const child = new Child("the remote servers", path.join(__dirname, "main.ts"));
    const hosts = o.hosts ?? remoteHosts;
    const options: FediverseOptions = {
      domain: o.domain,
      ca: readFileSync(o.caPath, "utf8"),
      dns: o.dns ?? ["198.18.2.53"],
      instancePort: o.instancePort ?? 443,
      port: o.port ?? 443,
      address: o.address ?? "198.18.2.1",
      certificate: { cert: pem(o.certificate.cert), key: pem(o.certificate.key) },
      dir: o.dir,
      hosts,
      actorsPerHost: o.actorsPerHost ?? 2,
      targets: o.targets,
      rate: o.rate ?? 3,
      linkRate: o.linkRate ?? 2,
      timeScale: o.timeScale ?? 0.05,
    };
    await child.ask("start", options);
    return new Remotes(child, hosts, o.dir);
  }

  stats(): Promise<RemotesStats> {
    return this.child.ask("stats");
  }

  /** Sends nothing new, and waits for what is under way; the inboxes stay open for what the instance still has to say. */
  quiet(deadlineMs = 30_000): Promise<RemotesStats> {
    return this.child.ask("quiet", deadlineMs);
  }

  /** Goes on sending after `quiet`. */
  async resume(): Promise<void> {
    await this.child.ask("resume");
  }

  async stop(): Promise<RemotesStats> {
    const stats = await this.child.ask<RemotesStats>("stop");
    await this.leave();
    return stats;
  }

  /** Goes at once, whatever is under way. */
  async leave(): Promise<void> {
    await this.child.gone();
  }
}

export const startRemotes = (o: RemotesOptions): Promise<Remotes> => Remotes.start(o);

function pem(textOrPath: string): string {
  return textOrPath.includes("-----BEGIN") ? textOrPath : readFileSync(textOrPath, "utf8");
}
