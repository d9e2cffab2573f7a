import { randomUUID } from "node:crypto";
import { multipart, picture } from "./image";
import { type Links, picturesOf } from "./links";
import type { Page } from "./page";
import { type Journal, now } from "./record";
import type { Ask, Reply, Web } from "./web";

/** An account that a person is signed in to. */
export interface Account {
  id: string;
  username: string;
  token: string;
}

/** What a server said yes to. The judge looks for each of these, and for nothing else that we might remember. */
export type Acknowledged = {
  t: number;
  latencyMs: number;
  status: number;
  tries: number;
  account: string;
} & (
  | { kind: "status"; id: string; text: string; key: string; visibility: string; media: string[] }
  | { kind: "media"; id: string; sha256: string; bytes: number; url: string }
  | { kind: "follow"; id: string }
);

export interface Shared {
  web: Web;
  records: Journal;
  /** A person gave up or waited: told with the whole time from the first try to the end. */
  onDone(kind: string, ms: number, acknowledged: boolean): void;
  /** Pictures that were acknowledged, for everyone to look at, by the address that was told then. */
  gallery: { url: string; sha256: string }[];
  links: Links;
  page: Page;
  stopping(): boolean;
}

const retries = [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000, 8000];

/** One signed-in user: what they do, and how their app insists when the server does not answer. */
export class Person {
  private readonly follows = new Set<string>();
  private lastStatus?: string;

  constructor(
    readonly account: Account,
    private readonly shared: Shared,
  ) {}

  async post(media: string[] = []): Promise<void> {
    const key = randomUUID();
    const text = `${this.account.username} says ${key}`;
    const visibility = Math.random() < 0.8 ? "public" : Math.random() < 0.5 ? "unlisted" : "private";
    const body = JSON.stringify({ status: text, media_ids: media, visibility });
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const done = await this.insist({ kind: "post", method: "POST", path: "/api/v1/statuses", headers, body });
    if (!done) return;
    const { id } = json(done.reply) as { id: string };
    this.acknowledge(done, { kind: "status", id, text, key, visibility, media });
    this.lastStatus = id;
  }

  /** Uploads a picture, then posts it, as an app does. */
  async show(): Promise<void> {
    const { bytes, sha256 } = picture();
    const { body, contentType } = multipart(bytes, "picture.png", "image/png");
    const headers = { "content-type": contentType };
    const done = await this.insist({ kind: "upload", method: "POST", path: "/api/v2/media", headers, body });
    if (!done) return;
    const { id, url } = json(done.reply) as { id: string; url: string | null };
    this.acknowledge(done, { kind: "media", id, sha256, bytes: bytes.length, url: url ?? "" });
    if (url) this.shared.gallery.push({ url, sha256 });
    await this.post([id]);
  }

  /** Follows someone new; with nobody left to follow, posts instead. */
  async follow(others: Account[]): Promise<void> {
    const rest = others.filter((o) => o.id !== this.account.id && !this.follows.has(o.id));
    const other = rest[Math.floor(Math.random() * rest.length)];
    if (!other) return this.post();
    this.follows.add(other.id);
    const path = `/api/v1/accounts/${other.id}/follow`;
    const done = await this.insist({ kind: "follow", method: "POST", path });
    if (done) this.acknowledge(done, { kind: "follow", id: other.id });
  }

  /** Looks at something: the own feed, the public one, what was just written, each with a picture of it; or an old picture. */
  async read(): Promise<void> {
    const dice = Math.random();
    const { gallery } = this.shared;
    const seen = gallery[Math.floor(Math.random() * gallery.length)];
    if (dice < 0.3 && seen) return this.open(seen.url, seen.sha256);
    if (dice < 0.5 && this.lastStatus) return this.look("status", `/api/v1/statuses/${this.lastStatus}`);
    if (dice < 0.65) return this.look("public", "/api/v1/timelines/public?local=true&limit=20");
    return this.look("home", "/api/v1/timelines/home?limit=20");
  }

  private async look(kind: string, path: string): Promise<void> {
    const reply = await this.shared.web.send({ kind, method: "GET", path, token: this.account.token });
    const pictures = reply.status === 200 ? picturesOf(reply.body) : [];
    const one = pictures[Math.floor(Math.random() * pictures.length)];
    if (one) await this.open(one);
  }

  private async open(url: string, sha256?: string): Promise<void> {
    const refused = await this.shared.page.refuses(url, this.account.token);
    await this.shared.links.open(url, { sha256, refused });
  }

  /** Sends a write until it is acknowledged; each failed try counts, and the same key makes repeats one. */
  private async insist(ask: Ask): Promise<Done | undefined> {
    const t = now();
    for (let tries = 1; ; tries++) {
      const reply = await this.shared.web.send({ ...ask, token: this.account.token, write: true });
      const wait = retries[tries - 1];
      const hopeless = reply.status >= 400 && reply.status < 500 && ![408, 429].includes(reply.status);
      if (reply.ok || hopeless || wait === undefined || this.shared.stopping()) {
        this.shared.onDone(ask.kind, now() - t, reply.ok);
        return reply.ok ? { reply, tries, latencyMs: now() - t } : undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  private acknowledge(done: Done, what: DistributiveOmit<Acknowledged, keyof Common>): void {
    const { tries, latencyMs, reply } = done;
    const common: Common = { t: now(), latencyMs, status: reply.status, tries, account: this.account.id };
    this.shared.records.write({ ...common, ...what });
  }
}

type Common = { t: number; latencyMs: number; status: number; tries: number; account: string };
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Done = { reply: Reply; tries: number; latencyMs: number };

function json(reply: Reply): unknown {
  return JSON.parse(reply.body.toString());
}
