import { type Count, kinds } from "../report/model";

/** The books while they are being drawn up. */
export class Account {
  readonly acknowledged = zero();
  readonly lost = zero();
  readonly duplicated = zero();
  private readonly told = new Map<string, string[]>();

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

function zero(): Count {
  return Object.fromEntries(kinds.map((k) => [k, 0])) as Count;
}
