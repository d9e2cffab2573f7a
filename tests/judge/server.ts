import { execFile, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Host, Place } from "../../rehearsal/judge";

/** This machine as a host of the judge's. */
export class Here implements Host {
  constructor(readonly name: string) {}

  exec(cmd: string[], o: { input?: string; timeoutMs?: number; allowFail?: boolean } = {}) {
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
      const child = spawn(cmd[0] ?? "", cmd.slice(1), { timeout: o.timeoutMs ?? 60_000 });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (b: Buffer) => (stdout += b.toString()));
      child.stderr.on("data", (b: Buffer) => (stderr += b.toString()));
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0 || o.allowFail) resolve({ code: code ?? 137, stdout, stderr });
        else reject(new Error(`${cmd[0]} failed with ${code}: ${stderr}`));
      });
      child.stdin.on("error", () => undefined).end(o.input ?? "");
    });
  }
}

const bin = "/usr/lib/postgresql/15/bin";

/** A Postgres, a Redis and a media folder of a test's own, all behind sockets in one temporary folder. */
export class Server {
  readonly host: Here;
  readonly place: Required<Place>;

  private constructor(
    name: string,
    readonly dir: string,
  ) {
    this.host = new Here(name);
    const psql = ["runuser", "-u", "postgres", "--", "psql", "-h", dir];
    this.place = {
      psql: [...psql, "-d", "mastodon_production"],
      redis: ["redis-cli", "-s", path.join(dir, "redis.sock")],
      media: path.join(dir, "system"),
      sidekiqLog: ["cat", path.join(dir, "sidekiq.log")],
      jobsSeen: path.join(dir, "jobs-seen"),
      env: path.join(dir, "env"),
      serves: ["false"],
    };
  }

  /** A new server, or one whose database follows that of another and whose files are copies. */
  static async start(name: string, of?: Server): Promise<Server> {
    const dir = mkdtempSync(path.join(tmpdir(), `judge-${name}-`));
    chmodSync(dir, 0o777);
    const server = new Server(name, dir);
    const data = path.join(dir, "pg");
    if (of) await server.as("pg_basebackup", "-h", of.dir, "-D", data, "-R", "-X", "stream", "-c", "fast");
    else await server.as("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N");
    await server.startPostgres();
    if (of) cpSync(path.join(of.dir, "system"), path.join(dir, "system"), { recursive: true });
    else mkdirSync(path.join(dir, "system"));
    writeFileSync(path.join(dir, "sidekiq.log"), "");
    await server.startRedis(of);
    return server;
  }

  async stop(): Promise<void> {
    await this.host.exec([...this.place.redis, "SHUTDOWN", "NOSAVE"], { allowFail: true });
    await this.as("pg_ctl", "-D", path.join(this.dir, "pg"), "-m", "immediate", "-w", "stop").catch(
      () => undefined,
    );
    rmSync(this.dir, { recursive: true });
  }

  async sql(script: string, database = "mastodon_production"): Promise<void> {
    const psql = [...this.place.psql.slice(0, -1), database, "-XAtq", "-v", "ON_ERROR_STOP=1"];
    await this.host.exec(psql, { input: script });
  }

  async redis(...args: string[]): Promise<string> {
    return (await this.host.exec([...this.place.redis, ...args])).stdout.trim();
  }

  file(key: string, content: string): void {
    const file = path.join(this.place.media, key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  private async startPostgres(): Promise<void> {
    const options = `-k ${this.dir} -c listen_addresses= -c fsync=off -c shared_buffers=16MB`;
    const log = path.join(this.dir, "pg.log");
    await this.as("pg_ctl", "-D", path.join(this.dir, "pg"), "-l", log, "-o", options, "-w", "start");
  }

  private async startRedis(of?: Server): Promise<void> {
    const follow = of ? ["--replicaof", "127.0.0.1", "1"] : [];
    const quiet = ["--port", "0", "--save", "", "--daemonize", "yes", "--dir", this.dir];
    await this.host.exec([
      "redis-server",
      ...quiet,
      "--unixsocket",
      path.join(this.dir, "redis.sock"),
      ...follow,
    ]);
    for (let i = 0; i < 100 && (await this.redis("PING").catch(() => "")) !== "PONG"; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  private as(command: string, ...args: string[]): Promise<void> {
    const argv = ["-u", "postgres", "--", `${bin}/${command}`, ...args];
    return new Promise((resolve, reject) =>
      execFile("runuser", argv, { cwd: this.dir }, (e, _out, err) =>
        e ? reject(new Error(`${e.message} ${err}`)) : resolve(),
      ),
    );
  }
}
