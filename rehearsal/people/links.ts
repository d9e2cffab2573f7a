import { createHash } from "node:crypto";
import type { Journal } from "./record";
import { now } from "./record";
import type { Reply, Web } from "./web";

/** One look at the address of a file, in `links.jsonl`. It is broken unless `ok`. */
export interface Opened {
  t: number;
  ms: number;
  who: "people" | "remotes";
  url: string;
  /** Of the last answer; 0 is a network error or no request at all. */
  status: number;
  ok: boolean;
  /** Where redirects led. */
  via?: string[];
  /** Not the bytes that were uploaded, nothing at all, too many redirects, or a host the page does not allow. */
  fault?: string;
}

export interface LinkStats {
  opened: number;
  broken: number;
  /** By status, or what was wrong. */
  faults: Record<string, number>;
}

const redirects = 3; // what Mastodon follows; a browser would go on to 20

/** Opens pictures by the addresses that were rendered, old ones too, and notes how that went. */
export class Links {
  readonly stats: LinkStats = { opened: 0, broken: 0, faults: {} };

  constructor(
    private readonly who: Opened["who"],
    private readonly web: Web,
    private readonly journal: Journal,
  ) {}

  /** `sha256`: of the bytes that have to be there, where they are known. `refused`: why no browser would even ask. */
  async open(url: string, o: { sha256?: string; refused?: string } = {}): Promise<boolean> {
    const t = now();
    const via: string[] = [];
    const reply = o.refused ? undefined : await this.follow(url, via);
    const fault = o.refused ?? (reply && wrong(reply, o.sha256));
    const { status = 0 } = reply ?? {};
    const opened: Opened = { t, ms: now() - t, who: this.who, url, status, ok: fault === undefined };
    this.journal.write({ ...opened, ...(via.length ? { via } : {}), ...(fault ? { fault } : {}) });
    this.stats.opened++;
    if (fault === undefined) return true;
    this.stats.broken++;
    this.stats.faults[fault] = (this.stats.faults[fault] ?? 0) + 1;
    return false;
  }

  private async follow(url: string, via: string[]): Promise<Reply> {
    for (let at = new URL(url); ;) {
      const reply = await this.web.send({ kind: "media", method: "GET", url: at });
      const { location } = reply.headers;
      if (![301, 302, 303, 307, 308].includes(reply.status) || !location || via.length === redirects)
        return reply;
      at = new URL(location, at);
      via.push(at.href);
    }
  }
}

function wrong(reply: Reply, sha256?: string): string | undefined {
  if (reply.status !== 200) return reply.error ?? String(reply.status);
  if (reply.body.length === 0) return "empty";
  const fits = !sha256 || createHash("sha256").update(reply.body).digest("hex") === sha256;
  return fits ? undefined : "other bytes";
}

interface Shown {
  account?: { avatar?: string };
  media_attachments?: { url?: string | null; preview_url?: string | null }[];
}

/** The pictures that a status or a timeline shows. Those of other servers that are not here are left out: they may be gone. */
export function picturesOf(body: Buffer): string[] {
  const shown = [JSON.parse(body.toString()) as Shown | Shown[]].flat();
  const found = shown.flatMap((s) => [
    s.account?.avatar,
    ...(s.media_attachments ?? []).flatMap((m) => [m.preview_url, m.url]),
  ]);
  return [...new Set(found.filter((u): u is string => !!u && !u.includes("/media_proxy/")))];
}
