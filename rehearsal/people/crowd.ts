import path from "node:path";
import { Links, type LinkStats } from "./links";
import { Page } from "./page";
import { type Account, Person, type Shared } from "./person";
import { Journal, now } from "./record";
import { Stream } from "./stream";
import { type Sample, Web } from "./web";

export interface CrowdOptions {
  domain: string;
  ca: string;
  dns: string[];
  port?: number;
  /** Folder for the records. */
  dir: string;
  accounts: Account[];
  /** Whom people follow, besides each other. */
  followable?: Account[];
  /** Writes a second, all people together. */
  rate: number;
  /** Reads for each write. */
  readsPerWrite: number;
  /** How many of them keep a live feed open. */
  streams: number;
}

export interface PeopleStats {
  requests: number;
  failed: number;
  /** Failures by what they were: `503`, `ECONNRESET`, … */
  failures: Record<string, number>;
  reconnected: number;
  acknowledged: number;
  /** Writes given up without an answer: neither lost nor kept. */
  abandoned: number;
  longestStallMs: number;
  inFlight: number;
  /** Median and slowest of the last two seconds. */
  recent: { perSecond: number; medianMs: number; worstMs: number };
  streams: { clients: number; connected: number; events: number; reconnects: number; longestGapMs: number };
  moves: { t: number; from: string; to: string }[];
  /** Pictures that were opened, uploads and those of timelines; each look is in `links.jsonl`. */
  pictures: LinkStats;
  /** When the page was opened that they have, and with it its policy; milliseconds since 1970. */
  pageSince: number;
}

/** All the people: things happen when they happen, however slow the answers, as on a real instance. */
export class Crowd {
  private readonly acks: Journal;
  private readonly samples: Journal;
  private readonly seen: Journal;
  private readonly links: Links;
  private readonly web: Web;
  private readonly page: Page;
  private readonly people: Person[];
  private readonly streams: Stream[];
  private readonly last: Sample[] = [];
  private timer?: NodeJS.Timeout;
  private stopping = false;
  private readonly doing = new Set<Promise<void>>();
  private readonly stats_: Omit<
    PeopleStats,
    "recent" | "inFlight" | "reconnected" | "pictures" | "pageSince"
  > = {
    requests: 0,
    failed: 0,
    failures: {},
    acknowledged: 0,
    abandoned: 0,
    longestStallMs: 0,
    streams: { clients: 0, connected: 0, events: 0, reconnects: 0, longestGapMs: 0 },
    moves: [],
  };

  constructor(private readonly o: CrowdOptions) {
    this.acks = new Journal(path.join(o.dir, "people.jsonl"));
    this.samples = new Journal(path.join(o.dir, "requests.jsonl"), 100);
    this.web = new Web({
      ...o,
      onSample: (s) => this.sampled(s),
      onMoved: (from, to) => this.moved(from, to),
    });
    this.page = new Page(this.web);
    this.seen = new Journal(path.join(o.dir, "links.jsonl"), 100);
    this.links = new Links("people", this.web, this.seen);
    const shared: Shared = {
      web: this.web,
      records: this.acks,
      gallery: [],
      links: this.links,
      page: this.page,
      onDone: (_kind, ms, ok) => this.done(ms, ok),
      stopping: () => this.stopping,
    };
    this.people = o.accounts.map((a) => new Person(a, shared));
    this.streams = o.accounts.slice(0, o.streams).map((a) => this.stream(a));
    this.stats_.streams.clients = this.streams.length;
    this.next();
  }

  stats(): PeopleStats {
    this.samples.flush();
    this.seen.flush();
    const since = now() - 2000;
    const recent = this.last.filter((s) => s.t + s.ms > since).map((s) => s.ms);
    recent.sort((a, b) => a - b);
    return {
      ...this.stats_,
      pictures: this.links.stats,
      pageSince: this.page.since,
      streams: { ...this.stats_.streams, connected: this.streams.filter((s) => s.connected).length },
      reconnected: this.web.reconnected,
      inFlight: this.doing.size,
      recent: {
        perSecond: recent.length / 2,
        medianMs: recent[recent.length >> 1] ?? 0,
        worstMs: recent.at(-1) ?? 0,
      },
    };
  }

  mark(label: string): number {
    const t = now();
    this.samples.write({ t, mark: label });
    return t;
  }

  /** Nothing new is begun; what is under way is waited for. Live feeds stay open. */
  async pause(): Promise<PeopleStats> {
    this.stopping = true;
    clearTimeout(this.timer);
    await Promise.all(this.doing);
    return this.stats();
  }

  /** Goes on; who never paused is not doubled. */
  resume(): void {
    if (!this.stopping) return;
    this.stopping = false;
    this.next();
  }

  async stop(): Promise<PeopleStats> {
    const stats = await this.pause();
    for (const s of this.streams) s.stop();
    this.web.close();
    this.samples.close();
    this.seen.close();
    this.acks.close();
    return stats;
  }

  /** Arrivals are a Poisson process: independent of each other and of the server's speed. */
  private next(): void {
    const all = this.o.rate * (1 + this.o.readsPerWrite);
    if (all <= 0 || this.people.length === 0) return;
    this.timer = setTimeout(
      () => {
        this.next();
        this.act();
      },
      (-Math.log(1 - Math.random()) / all) * 1000,
    );
  }

  private act(): void {
    const person = this.people[Math.floor(Math.random() * this.people.length)] as Person;
    const doing = this.something(person).finally(() => this.doing.delete(doing));
    this.doing.add(doing);
  }

  private something(person: Person): Promise<void> {
    if (Math.random() >= 1 / (1 + this.o.readsPerWrite)) return person.read();
    const dice = Math.random();
    if (dice < 0.15) return person.show();
    if (dice < 0.3) return person.follow([...this.o.accounts, ...(this.o.followable ?? [])]);
    return person.post();
  }

  private stream(account: Account): Stream {
    const seen = this.stats_.streams;
    return new Stream({
      ...this.o,
      token: account.token,
      lookup: this.web.lookup,
      onEvent: () => seen.events++,
      onGap: (gap) => {
        seen.reconnects++;
        seen.longestGapMs = Math.max(seen.longestGapMs, gap.ms);
        this.samples.write({ ...gap, gap: account.id });
      },
    });
  }

  private sampled(s: Sample): void {
    this.samples.write(s);
    this.last.push(s);
    if (this.last.length > 4000) this.last.splice(0, 2000);
    this.stats_.requests++;
    this.stats_.longestStallMs = Math.max(this.stats_.longestStallMs, s.ms);
    if (s.ok) return;
    this.stats_.failed++;
    const what = s.error ?? String(s.status);
    this.stats_.failures[what] = (this.stats_.failures[what] ?? 0) + 1;
  }

  private done(ms: number, ok: boolean): void {
    this.stats_.longestStallMs = Math.max(this.stats_.longestStallMs, ms);
    if (ok) this.stats_.acknowledged++;
    else this.stats_.abandoned++;
  }

  private moved(from: string, to: string): void {
    this.stats_.moves.push({ t: now(), from, to });
    this.samples.write({ t: now(), mark: `dns ${from} ${to}` });
  }
}
