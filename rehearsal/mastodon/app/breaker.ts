import { StorageAway } from "./storage";

/** After so many failures in a row nothing is tried for a while: whoever waits is told at once. */
export class Breaker {
  private failures = 0;
  private openUntil = 0;

  constructor(
    private readonly threshold: number,
    private readonly coolOffMs: number,
    private readonly counts: (e: unknown) => boolean,
  ) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (Date.now() < this.openUntil) throw new StorageAway("the object storage did not answer lately");
    try {
      const result = await work();
      this.failures = 0;
      return result;
    } catch (e) {
      if (this.counts(e) && ++this.failures >= this.threshold) this.openUntil = Date.now() + this.coolOffMs;
      throw e;
    }
  }
}
