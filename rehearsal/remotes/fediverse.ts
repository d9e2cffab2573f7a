import path from "node:path";
import { Journal, now } from "../people/record";
import { Links, type LinkStats, picturesOf } from "../people/links";
import { type Sample, Web } from "../people/web";
import { accept, type Activity, follow, like, note, objectOf } from "./activities";
import { type Actor, makeActor } from "./actor";
import { backoff, retries, verdict } from "./delivery";
import { Server } from "./server";
import { signed } from "./signature";

export interface FediverseOptions {
  domain: string;
  ca: string;
  dns: string[];
  /** Port of the instance, and of the remote servers. */
  instancePort: number;
  port: number;
  address: string;
  certificate: { cert: string; key: string };
  dir: string;
  hosts: string[];
  actorsPerHost: number;
  /** Local users that are followed and mentioned. */
  targets: string[];
  rate: number;
  /** How often a second somebody looks at an old picture of the instance; 0 never. */
  linkRate: number;
  timeScale: number;
}

export interface RemotesStats {
  delivered: number;
  dropped: number;
  retried: number;
  pending: number;
  received: number;
  duplicated: number;
  refused: number;
  /** What the tries that did not deliver came back with. */
  failures: Record<string, number>;
  /** Retry times are Mastodon's times this factor. */
  timeScale: number;
  worstMs: number;
  /** The instance's pictures, by addresses from before and by those of posts that came; each look is in `links.jsonl`. */
  links: LinkStats;
}

/** Other servers of the fediverse: they deliver to the instance by Mastodon's rules, and take what it delivers. */
export class Fediverse {
  private readonly records: Journal;
  private readonly web: Web;
  private readonly server: Server;
  private readonly received = new Set<string>();
  private readonly likeable: string[] = [];
  private readonly looks: Journal;
  private readonly links: Links;
  /** Other servers keep the address of a picture for ever. */
  private readonly kept: string[] = [];
  private looking?: NodeJS.Timeout;
  private readonly open = new Set<Promise<void>>();
  private timer?: NodeJS.Timeout;
  private stopped = false;
  private last: Sample | undefined;
  private readonly seen: Omit<RemotesStats, "links">;

  private constructor(
    private readonly o: FediverseOptions,
    private readonly actors: Actor[],
  ) {
    this.records = new Journal(path.join(o.dir, "remotes.jsonl"));
    const { domain, ca, dns, instancePort: port } = o;
    this.web = new Web({ domain, ca, dns, port, timeoutMs: 10_000, onSample: (s) => (this.last = s) });
    this.looks = new Journal(path.join(o.dir, "links.jsonl"), 100);
    this.links = new Links("remotes", this.web, this.looks);
    const onReceived = (host: string, a: Activity) => this.take(host, a);
    const onRefused = () => void this.seen.refused++;
    this.server = new Server({ ...o, actors, web: this.web, records: this.records, onReceived, onRefused });
    const { timeScale } = o;
    const none = { delivered: 0, dropped: 0, retried: 0, pending: 0, received: 0, duplicated: 0, refused: 0 };
    this.seen = { ...none, failures: {}, timeScale, worstMs: 0 };
  }

  static async start(o: FediverseOptions): Promise<Fediverse> {
    const names = ["alice", "bob", "carol", "dave", "erin", "frank"].slice(0, o.actorsPerHost);
    const actors = await Promise.all(o.hosts.flatMap((host) => names.map((name) => makeActor(host, name))));
    const f = new Fediverse(o, actors);
    await f.server.listen();
    for (const [i, target] of o.targets.entries())
      for (const host of o.hosts) f.send(f.actorOf(host, i), follow(f.actorOf(host, i), o.domain, target));
    await f.learn();
    f.next();
    f.look();
    return f;
  }

  stats(): RemotesStats {
    this.looks.flush();
    return { ...this.seen, links: this.links.stats, pending: this.open.size };
  }

  /** Begins nothing new, and gives what is under way until the deadline; inboxes stay open. */
  async quiet(deadlineMs: number): Promise<RemotesStats> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const late = new Promise((resolve) => setTimeout(resolve, deadlineMs).unref());
    while (
      this.open.size > 0 &&
      (await Promise.race([Promise.all(this.open).then(() => true), late])) === true
    );
    return this.stats();
  }

  /** Goes on sending after `quiet`. */
  resume(): void {
    if (!this.timer) this.next();
  }

  async stop(): Promise<RemotesStats> {
    clearTimeout(this.timer);
    clearTimeout(this.looking);
    this.stopped = true;
    const stats = this.stats();
    await this.server.close();
    this.web.close();
    this.records.close();
    this.looks.close();
    return stats;
  }

  private next(): void {
    if (this.o.rate <= 0 || this.o.targets.length === 0) return;
    this.timer = setTimeout(
      () => {
        this.next();
        const actor = pick(this.actors) as Actor;
        const status = Math.random() < 0.3 ? this.likeable.shift() : undefined;
        this.send(
          actor,
          status ? like(actor, status) : note(actor, this.o.domain, pick(this.o.targets) as string),
        );
      },
      (-Math.log(1 - Math.random()) / this.o.rate) * 1000,
    );
  }

  /** What the other servers know from before: the faces and pictures of the local timeline as it is now. */
  private async learn(): Promise<void> {
    if (this.o.linkRate <= 0) return;
    for (let page = 0, max = ""; page < 5; page++) {
      const path = `/api/v1/timelines/public?local=true&limit=40${max}`;
      const { body, status } = await this.web.send({ kind: "public", method: "GET", path });
      if (status !== 200) return;
      this.kept.push(...picturesOf(body).filter((url) => !this.kept.includes(url)));
      const last = (JSON.parse(body.toString()) as { id: string }[]).at(-1);
      if (!last) return;
      max = `&max_id=${last.id}`;
    }
  }

  /** Somebody over there looks at an old post: its picture comes from here. */
  private look(): void {
    if (this.o.linkRate <= 0) return;
    this.looking = setTimeout(
      () => {
        this.look();
        const url = pick(this.kept);
        if (url) void this.links.open(url);
      },
      (-Math.log(1 - Math.random()) / this.o.linkRate) * 1000,
    );
  }

  /** The pictures of a post are fetched when it comes. */
  private keep(activity: Activity): void {
    const attached = typeof activity.object === "object" ? activity.object.attachment : undefined;
    for (const { url } of (attached ?? []) as { url?: string }[]) {
      if (!url) continue;
      this.kept.push(url);
      void this.links.open(url);
    }
  }

  private take(host: string, activity: Activity): void {
    const key = `${host} ${activity.id}`;
    if (this.received.has(key)) this.seen.duplicated++;
    this.received.add(key);
    this.seen.received++;
    if (activity.type === "Create") this.keep(activity);
    if (activity.type === "Create") this.likeable.push(objectOf(activity));
    if (this.likeable.length > 200) this.likeable.shift();
    const asked = this.actors.find((a) => a.uri === objectOf(activity));
    if (activity.type === "Follow" && asked) this.send(asked, accept(asked, activity));
  }

  private actorOf(host: string, i: number): Actor {
    const here = this.actors.filter((a) => a.host === host);
    return here[i % here.length] as Actor;
  }

  private send(actor: Actor, activity: Activity): void {
    const under = this.deliver(actor, activity).finally(() => this.open.delete(under));
    this.open.add(under);
  }

  private async deliver(actor: Actor, activity: Activity): Promise<void> {
    const t = now();
    const body = JSON.stringify(activity);
    const { id, type } = activity;
    const told = { host: actor.host, id, type, actor: actor.uri, object: objectOf(activity) };
    for (let n = 0; !this.stopped; n++) {
      const began = now();
      const headers = signed("/inbox", this.o.domain, body, `${actor.uri}#main-key`, actor.key);
      const reply = await this.web.send({
        kind: "inbox",
        method: "POST",
        path: "/inbox",
        headers,
        body,
        write: true,
      });
      if (this.stopped) return; // it was cut off by the end, not by the instance
      this.seen.worstMs = Math.max(this.seen.worstMs, now() - began);
      const what = n === retries && verdict(reply.status) === "retry" ? "dropped" : verdict(reply.status);
      const record = { t: now(), ...told, tries: n + 1, status: reply.status, latencyMs: now() - t };
      if (what === "delivered") this.seen.delivered++;
      else this.count(reply.status);
      if (what === "dropped") this.seen.dropped++;
      if (what !== "retry") return this.records.write({ ...record, kind: what });
      this.seen.retried++;
      const waitMs = backoff(n) * 1000 * this.o.timeScale;
      this.records.write({ ...record, kind: "retry", waitMs });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  private count(status: number): void {
    const what = status === 0 ? (this.last?.error ?? "network") : String(status);
    this.seen.failures[what] = (this.seen.failures[what] ?? 0) + 1;
  }
}

function pick<T>(from: T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
