import { type Count, type Kind, kinds } from "../report/model";

/** A power cut, or the like: what Redis held only in memory, and jobs in hand, are gone without the move's doing. */
export interface Excuse {
  from: number;
  to: number;
  why: string;
}

/** What may be excused: all that lives in Redis alone. Rows and files are durable once they are acknowledged. */
const volatile: Kind[] = ["jobs", "feeds", "deliveries"];

/** The books while they are being drawn up. */
export class Account {
  readonly acknowledged = zero();
  readonly lost = zero();
  readonly duplicated = zero();
  /** Losses and repetitions that a power cut answers for, by its reason. */
  readonly excused = new Map<string, number>();
  private readonly told = new Map<string, string[]>();

  constructor(private readonly excuses: Excuse[] = []) {}

  /** Something that was acknowledged at `t` is gone. */
  lose(kind: Kind, t: number, line: string): void {
    if (this.forgiven(kind, t)) return;
    this.lost[kind]++;
    this.wrong(`${singular[kind]} lost`, line);
  }

  /**
   * Something that was taken at `t` was done once more than it should. After a power cut Redis comes up as it was a
   * moment before; it also holds the keys by which Mastodon knows that a status is sent again.
   */
  repeat(kind: Kind, t: number, line: string): void {
    if (this.forgiven(kind === "statuses" ? "jobs" : kind, t)) return;
    this.duplicated[kind]++;
    this.wrong(`${singular[kind]} twice`, line);
  }

  private forgiven(kind: Kind, t: number): boolean {
    const excuse = volatile.includes(kind) && this.excuses.find((e) => t >= e.from && t <= e.to);
    if (excuse) this.excused.set(excuse.why, (this.excused.get(excuse.why) ?? 0) + 1);
    return Boolean(excuse);
  }

  /** Something is wrong, in one line; of each heading the first few are shown and the rest counted. */
  wrong(heading: string, line: string): void {
    this.told.set(heading, [...(this.told.get(heading) ?? []), line]);
  }

  findings(): string[] {
    return [...this.told].flatMap(([heading, all]) => {
      const shown = all.slice(0, 3).map((line) => `${heading}: ${line}`);
      return all.length > 3 ? [...shown, `${heading}: and ${all.length - 3} more`] : shown;
    });
  }
}

export const singular: Record<Kind, string> = {
  statuses: "status",
  media: "media",
  follows: "follow",
  jobs: "job",
  feeds: "feed",
  deliveries: "delivery",
};

function zero(): Count {
  return Object.fromEntries(kinds.map((k) => [k, 0])) as Count;
}
