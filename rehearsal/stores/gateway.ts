import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { run, waitFor } from "../lab/run";
import { type Credentials, signed, type Unsigned } from "./sign";

export interface GatewayOptions {
  /** Folder of its buckets, accounts and log. */
  dir: string;
  region: string;
  /** Name of the S3 API; buckets are also reached as BUCKET.NAME. */
  host: string;
  /** Where it listens. @default 127.0.0.1 */
  address?: string;
}

/** One real S3 server (versitygw). Objects are files in `data/BUCKET/KEY`, their metadata extended attributes. */
export class Gateway {
  private constructor(
    readonly o: GatewayOptions,
    readonly port: number,
    /** The owner's: may do everything. */
    readonly root: Credentials,
    private readonly program: string,
    private server: ChildProcess,
  ) {}

  static async start(o: GatewayOptions): Promise<Gateway> {
    const tools = (await run([path.join(__dirname, "../tools/build.sh"), "--path"])).stdout.trim();
    const program = path.join(tools, "versitygw");
    if (!existsSync(program))
      throw new Error(`stores: no S3 server at ${program}. Run rehearsal/prepare.sh tools first.`);
    for (const folder of ["data", "accounts", "versions"])
      mkdirSync(path.join(o.dir, folder), { recursive: true });
    const root = { accessKey: "owner", secretKey: randomBytes(20).toString("hex") };
    const port = await freePort(addressOf(o));
    const gateway = new Gateway(o, port, root, program, launch(program, o, port, root));
    await gateway.answers();
    return gateway;
  }

  /** Folder with a folder for each bucket. */
  get data(): string {
    return path.join(this.o.dir, "data");
  }

  /** URL of its S3 API, buckets in the path. */
  get origin(): string {
    return `http://${addressOf(this.o)}:${this.port}`;
  }

  /** Calls its S3 API as the owner. */
  async call(
    method: string,
    target: string,
    body?: string,
    headers?: Unsigned["headers"],
  ): Promise<{ status: number; text: string }> {
    const url = new URL(`${this.origin}${target}`);
    // Some calls ask for a checksum of their body.
    const md5: Record<string, string> =
      body === undefined ? {} : { "content-md5": createHash("md5").update(body).digest("base64") };
    const sent = signed({ method, url, headers: { ...headers, ...md5 }, body }, this.root, this.o.region);
    const answer = await fetch(url, { method, headers: sent, body });
    return { status: answer.status, text: await answer.text() };
  }

  /** The same; anything but success is an error. */
  async must(method: string, target: string, body?: string): Promise<string> {
    const { status, text } = await this.call(method, target, body);
    if (status >= 300) throw new Error(`stores: ${method} ${target} was answered with ${status}: ${text}`);
    return text;
  }

  /** Runs its admin's tool. */
  async admin(...args: string[]): Promise<void> {
    const access = ["--access", this.root.accessKey, "--secret", this.root.secretKey];
    const where = ["--region", this.o.region, "--endpoint-url", this.origin];
    await run([this.program, "admin", ...access, ...where, ...args], {
      where: "stores",
      shown: ["admin", ...args.slice(0, 3)],
    });
  }

  async stop(): Promise<void> {
    if (this.server.exitCode !== null) return;
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGKILL");
    await ended;
  }

  private async answers(): Promise<void> {
    await waitFor("the S3 server to answer", 15_000, async () => {
      if (this.server.exitCode !== null) throw new Error(`stores: the S3 server ended:\n${this.log()}`);
      const answer = await fetch(`${this.origin}/-health`).catch((e: Error) => e);
      return answer instanceof Error ? answer.message : answer.ok || `status ${answer.status}`;
    });
  }

  private log(): string {
    return readFileSync(path.join(this.o.dir, "log"), "utf8").slice(-2000);
  }
}

function launch(program: string, o: GatewayOptions, port: number, root: Credentials): ChildProcess {
  const log = openSync(path.join(o.dir, "log"), "a");
  const general = ["--port", `${addressOf(o)}:${port}`, "--region", o.region, "--virtual-domain", o.host];
  // Keys that are made or revoked count at once.
  const accounts = ["--iam-dir", path.resolve(o.dir, "accounts"), "--iam-cache-disable"];
  const versions = ["--versioning-dir", path.resolve(o.dir, "versions")];
  // What is new is private: who may read a file is what its mode says (see gate.ts).
  const backend = ["posix", "--file-perms", "0600", ...versions, path.resolve(o.dir, "data")];
  const child = spawn(program, [...general, ...accounts, "--quiet", "--health", "/-health", ...backend], {
    env: { ROOT_ACCESS_KEY: root.accessKey, ROOT_SECRET_KEY: root.secretKey },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return child;
}

const addressOf = (o: GatewayOptions) => o.address ?? "127.0.0.1";

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, address, () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
