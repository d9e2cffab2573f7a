import { createReadStream, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { RequestSample } from "../report/model";
import { Child } from "./child";
import type { CrowdOptions, PeopleStats } from "./crowd";
import type { Opened } from "./links";
import type { Account } from "./person";

export type { Account, Acknowledged } from "./person";
export type { PeopleStats } from "./crowd";
export type { LinkStats, Opened } from "./links";

export interface PeopleOptions {
  domain: string;
  /** Path of the certificate authority's certificate. */
  caPath: string;
  /** Name servers. @default the lab's */
  dns?: string[];
  port?: number;
  /** Folder for the records. */
  dir: string;
  /** Signed-in accounts; each is one person. */
  accounts: Account[];
  /** Whom people may follow besides each other. @default - nobody */
  followable?: Account[];
  /** Writes a second, all people together. @default 20 */
  rate?: number;
  /** Reads for each write. @default 1.5 */
  readsPerWrite?: number;
  /** How many people keep a live feed open. @default a third of them */
  streams?: number;
}

/** A crowd of clients at work, in a process of its own. */
export class People {
  /** What was acknowledged to them, a JSON object a line. */
  readonly records: string;
  /** Every request with its latency, gaps in the streams, and marks. */
  readonly requests: string;
  /** Every look at a picture by an address that was rendered, as `Opened`; the remotes write theirs beside. */
  readonly links: string;

  private constructor(
    private readonly child: Child,
    dir: string,
  ) {
    this.records = path.join(dir, "people.jsonl");
    this.requests = path.join(dir, "requests.jsonl");
    this.links = path.join(dir, "links.jsonl");
  }

  static async start(o: PeopleOptions): Promise<People> {
    const child = new Child("the people", path.join(__dirname, "main.ts"));
    const options: CrowdOptions = {
      ...o,
      ca: readFileSync(o.caPath, "utf8"),
      dns: o.dns ?? ["198.18.2.53"],
      rate: o.rate ?? 20,
      readsPerWrite: o.readsPerWrite ?? 1.5,
      streams: o.streams ?? Math.ceil(o.accounts.length / 3),
    };
    await child.ask("start", options);
    return new People(child, o.dir);
  }

  stats(): Promise<PeopleStats> {
    return this.child.ask("stats");
  }

  /** Notes a moment among the requests; returns its time. */
  mark(label: string): Promise<number> {
    return this.child.ask("mark", label);
  }

  /** Lets everyone finish what they are at; live feeds stay open. */
  pause(): Promise<PeopleStats> {
    return this.child.ask("pause");
  }

  /** Everyone goes on after a pause. */
  async resume(): Promise<void> {
    await this.child.ask("resume");
  }

  /** Lets everyone finish what they are at, and go home. */
  async stop(): Promise<PeopleStats> {
    const stats = await this.child.ask<PeopleStats>("stop");
    await this.leave();
    return stats;
  }

  /** Goes at once, whatever is under way. */
  async leave(): Promise<void> {
    await this.child.gone();
  }

  /** The requests that were under way at some time of a window; give it in milliseconds since 1970. */
  async samples(from: number, to: number): Promise<RequestSample[]> {
    const found: RequestSample[] = [];
    for await (const line of createInterface({ input: createReadStream(this.requests) })) {
      const s = JSON.parse(line) as Partial<RequestSample> & { t: number };
      if (s.kind === undefined || s.ms === undefined || s.t + s.ms < from || s.t > to) continue;
      found.push({ t: s.t, ms: s.ms, kind: s.kind, ok: s.ok ?? false, write: s.write ?? false });
    }
    return found;
  }

  /** Looks at pictures that led to nothing or to something else, by people and by remote servers, the first ones. */
  async broken(atMost: number): Promise<Opened[]> {
    const found: Opened[] = [];
    for await (const line of createInterface({ input: createReadStream(this.links) })) {
      const look = JSON.parse(line) as Opened;
      if (!look.ok) found.push(look);
      if (found.length >= atMost) break;
    }
    return found;
  }
}

export const startPeople = (o: PeopleOptions): Promise<People> => People.start(o);
