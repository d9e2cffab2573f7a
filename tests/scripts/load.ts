import type { LabHost } from "../../rehearsal/lab";
import { type Pair, passwords } from "./pair";

export interface LoadRecord {
  run: number;
  acks: Record<string, number[]>;
  counter: number[];
  jobs: string[];
  errors: string[];
  redisErrors: string[];
  gapMs: number;
  redisGapMs: number;
  slowestMs: number;
  perSecond: number;
}

export interface Verdict {
  lost: string[];
  duplicated: string[];
}

/** Writers on the target that keep a record of what was acknowledged to them. */
export class Load {
  private constructor(
    private readonly pair: Pair,
    private readonly name: string,
    private readonly process: Promise<unknown>,
  ) {}

  static async start(
    pair: Pair,
    o: { clients?: number; thinkMs?: number; redisPassword?: string } = {},
  ): Promise<Load> {
    const name = `/root/load-${Date.now()}`;
    const written = async () => Number(await pair.sql(await pair.primary(), "SELECT count(*) FROM ledger"));
    // An earlier load may have left rows.
    let before = 0;
    await pair.until("one primary, to count the rows", async () => (before = await written()) >= 0);
    await pair.target.put(`${name}.password`, passwords.app, 0o600);
    const argv = [
      "python3",
      "/root/load.py",
      `${name}.password`,
      o.redisPassword ?? pair.settings.TEST_REDIS_PASSWORD!,
      `${name}.json`,
      `${name}.stop`,
    ];
    const process = pair.target.exec([...argv, String(o.clients ?? 20), String(o.thinkMs ?? 5)], {
      timeoutMs: 600_000,
    });
    process.catch(() => undefined); // told by stop()
    await pair.until("the load to begin", async () => (await written()) > before);
    return new Load(pair, name, process);
  }

  async stop(): Promise<LoadRecord> {
    await this.pair.target.put(`${this.name}.stop`, "");
    await this.process;
    return JSON.parse((await this.pair.target.exec(["cat", `${this.name}.json`])).stdout) as LoadRecord;
  }
}

/** Looks for every acknowledged write where the data are now. */
export async function verify(pair: Pair, host: LabHost, record: LoadRecord): Promise<Verdict> {
  const verdict: Verdict = { lost: [], duplicated: [] };
  const rows = await pair.sql(host, "SELECT client || '/' || seq, count(*) FROM ledger GROUP BY 1");
  const found = new Map(rows.split("\n").map((row) => row.split("|") as [string, string]));
  for (const [client, acks] of Object.entries(record.acks))
    for (const seq of acks)
      look(
        verdict,
        `${(record.run % 10_000_000) * 100 + Number(client)}/${seq}`,
        Number(found.get(`${(record.run % 10_000_000) * 100 + Number(client)}/${seq}`) ?? 0),
      );
  const highest = Number(await pair.sql(host, "SELECT v FROM counter"));
  if (record.counter.some((v) => v > highest)) verdict.lost.push(`counter above ${highest}`);
  if (new Set(record.counter).size !== record.counter.length) verdict.duplicated.push("counter");
  const jobs = (await pair.redis(host, "LRANGE", "queue:test", "0", "-1")).split("\n");
  const counts = new Map<string, number>();
  for (const job of jobs) counts.set(job, (counts.get(job) ?? 0) + 1);
  for (const job of record.jobs) look(verdict, job, counts.get(job) ?? 0);
  return verdict;
}

function look(verdict: Verdict, what: string, times: number): void {
  if (times === 0) verdict.lost.push(what);
  if (times > 1) verdict.duplicated.push(what);
}
