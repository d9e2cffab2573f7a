import { build } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { LabHost } from "../../lab";
import { waitFor } from "../../lab/run";
import { type Door, type LoadRecord, type LoadSettings, type Progress, signs } from "./record";

export { type Books, check, longestSilence, writesPerSecond } from "./check";
export type { Door, LoadRecord } from "./record";

const folder = "/var/lib/bench";
let runs = 0;

/** Clients at work on a host. Make the tables first, with `schema`. */
export class Load {
  /** Why the clients ended before they were told to. */
  private broken?: Error;

  private constructor(
    private readonly host: LabHost,
    readonly run: number,
    private readonly dir: string,
    private readonly ended: Promise<unknown>,
  ) {}

  /** Starts the clients, and returns when writes have flowed for `flowing` milliseconds. */
  static async start(
    host: LabHost,
    door: Door,
    o: { clients: number; rate: number; flowing: number },
  ): Promise<Load> {
    const run = ++runs;
    const dir = `${folder}/run-${run}`;
    await host.put(`${folder}/load.js`, await program());
    await host.exec(["mkdir", "-p", dir]);
    const settings: LoadSettings = { ...door, clients: o.clients, rate: o.rate, run, dir };
    const argv = ["node", `${folder}/load.js`, JSON.stringify(settings)];
    const load = new Load(host, run, dir, host.exec(argv, { timeoutMs: 900_000 }));
    load.ended.catch((e: Error) => (load.broken = e));
    await load.flows(0);
    await load.flows(o.flowing);
    return load;
  }

  /** Waits until writes have been acknowledged for that long from now on. */
  async flows(ms: number): Promise<void> {
    const from = Date.now();
    const first = this.progress().acked;
    await waitFor("acknowledged writes", ms + 120_000, async () => {
      if (this.broken) throw this.broken;
      const { acked, at } = this.progress();
      return (acked > first && at > from + ms) || `${acked - first} in ${Date.now() - from} ms`;
    });
  }

  async stop(): Promise<LoadRecord> {
    await this.host.put(`${this.dir}/${signs.stop}`, "");
    await this.ended;
    const record = await this.host.exec(["cat", `${this.dir}/${signs.record}`]);
    await this.host.exec(["rm", "-r", this.dir]);
    return JSON.parse(record.stdout) as LoadRecord;
  }

  private progress(): Progress {
    const file = path.join(this.host.rootfs, this.dir, signs.progress);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Progress) : { acked: 0, at: 0 };
  }
}

/** The tables that the load writes to. A row may be there twice: that is what the check looks for. */
export const schema = `
  CREATE TABLE bench_ledger (run int NOT NULL, client int NOT NULL, seq int NOT NULL);
  CREATE INDEX ON bench_ledger (run);
  CREATE TABLE bench_counter (v bigint NOT NULL);
  INSERT INTO bench_counter VALUES (0);`;

let made: Promise<string> | undefined;

/** The clients as one file that needs Node 20 and nothing else. */
function program(): Promise<string> {
  made ??= build({
    entryPoints: [path.join(__dirname, "client.ts")],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    external: ["pg-native"],
    logLevel: "error",
  }).then(({ outputFiles }) => outputFiles[0]!.text);
  return made;
}
