/**
 * The load, on a host: clients that write through one door at a steady rate and keep a record of what was
 * acknowledged. What falls due while a request is under way goes with the next one, so that the rate does not depend
 * on the distance. usage: node load.js '{"run": …}'
 */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Client } from "pg";
import { type LoadRecord, type LoadSettings, type Progress, signs } from "./record";

/** Clients that count instead of appending: they contend for one row. */
const counters = 2;
/** No answer for this long counts as failed. */
const patienceMs = 30_000;
const retryMs = 20;

const settings = JSON.parse(process.argv[2] ?? "") as LoadSettings;
const record: LoadRecord = { run: settings.run, appends: [], counts: [], failed: [], longestWaitMs: 0 };
const progress: Progress = { acked: 0, at: 0 };
const perClientMs = (settings.clients * 1000) / settings.rate;

const file = (name: string) => path.join(settings.dir, name);
const stopping = () => existsSync(file(signs.stop));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
// Parts of a millisecond matter in a gap, and the clock must not jump.
const now = () => performance.timeOrigin + performance.now();

function put(name: string, content: unknown): void {
  writeFileSync(`${file(name)}.part`, JSON.stringify(content));
  renameSync(`${file(name)}.part`, file(name));
}

/** One connection that is opened again after every failure. */
class Writer {
  private connection?: Client;

  constructor(private readonly number: number) {}

  /** Asks until it is acknowledged; the first failure is noted. Gives nothing when it is told to stop before. */
  async ask<T>(sql: string): Promise<T[] | undefined> {
    const begun = now();
    let failed = false;
    for (;;) {
      try {
        const { rows } = await (await this.connected()).query<T & object>(sql);
        record.longestWaitMs = Math.max(record.longestWaitMs, now() - begun);
        progress.acked++;
        progress.at = now();
        return rows;
      } catch (e) {
        if (!failed) record.failed.push({ at: now(), client: this.number, error: (e as Error).message });
        failed = true;
        this.close();
        if (stopping()) return undefined;
        await pause(retryMs);
      }
    }
  }

  close(): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.end().catch(() => undefined);
  }

  private async connected(): Promise<Client> {
    if (this.connection) return this.connection;
    const { host, port, user, password, database } = settings;
    const client = new Client({
      ...{ host, port, user, password, database },
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
    });
    client.on("error", () => undefined); // told by the request under way
    await client.connect();
    return (this.connection = client);
  }
}

async function append(number: number): Promise<void> {
  const writer = new Writer(number);
  const begun = now();
  for (let from = 1; !stopping();) {
    const to = Math.floor((now() - begun) / perClientMs);
    if (to < from) {
      await pause(begun + from * perClientMs - now());
      continue;
    }
    const rows = `SELECT ${settings.run}, ${number}, generate_series(${from}, ${to})`;
    if (await writer.ask(`INSERT INTO bench_ledger (run, client, seq) ${rows}`))
      record.appends.push({ at: now(), client: number, from, to });
    from = to + 1;
  }
  writer.close();
}

async function count(number: number): Promise<void> {
  const writer = new Writer(number);
  for (let next = now(); !stopping(); next = Math.max(now(), next + perClientMs)) {
    await pause(next - now());
    const rows = await writer.ask<{ v: string }>("UPDATE bench_counter SET v = v + 1 RETURNING v");
    if (rows) record.counts.push({ at: now(), value: Number(rows[0]?.v) });
  }
  writer.close();
}

async function main(): Promise<void> {
  const tell = setInterval(() => put(signs.progress, progress), 100);
  const all = Array.from({ length: settings.clients }, (_, n) => (n < counters ? count(n) : append(n)));
  await Promise.all(all);
  clearInterval(tell);
  put(signs.record, record);
}

void main().then(() => process.exit(0));
