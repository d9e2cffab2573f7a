import { execFileSync } from "node:child_process";
import dgram from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import dns from "dns-packet";

/** Answers one request; `body` has been read. */
export type Answer = (req: IncomingMessage, body: Buffer, res: ServerResponse, address: string) => void;

export interface Asked {
  address: string;
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** A web site on two addresses with a name server in front of it, as far as people and remote servers can tell. */
export class Web {
  readonly asked: Asked[] = [];
  readonly servers: https.Server[] = [];
  /** Where the name server points, and for how long. */
  address = "127.0.0.1";
  ttl = 1;
  private readonly udp = dgram.createSocket("udp4");

  private constructor(
    readonly dir: string,
    readonly certificate: { cert: string; key: string },
    private answer: Answer,
  ) {}

  static async open(names: string[], answer: Answer): Promise<Web> {
    const dir = mkdtempSync(path.join(tmpdir(), "web-"));
    const alternative = `subjectAltName=${names.map((n) => `DNS:${n}`).join(",")}`;
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key"];
    const what = ["-subj", "/CN=test", "-addext", alternative, "-days", "1", "-out", "cert"];
    execFileSync("openssl", ["req", "-x509", ...key, ...what], { cwd: dir, stdio: "ignore" });
    const read = (name: string) => readFileSync(path.join(dir, name), "utf8");
    const web = new Web(dir, { cert: read("cert"), key: read("key") }, answer);
    const port = await web.listen("127.0.0.1", 0);
    await web.listen("127.0.0.2", port);
    await web.listenDns();
    return web;
  }

  get port(): number {
    return (this.servers[0]?.address() as AddressInfo).port;
  }

  get dns(): string[] {
    return [`127.0.0.1:${this.udp.address().port}`];
  }

  become(answer: Answer): void {
    this.answer = answer;
  }

  async close(): Promise<void> {
    this.udp.close();
    for (const s of this.servers) {
      s.closeAllConnections();
      await new Promise((resolve) => s.close(resolve));
    }
    rmSync(this.dir, { recursive: true });
  }

  private async listen(address: string, port: number): Promise<number> {
    const server = https.createServer(this.certificate, (req, res) => {
      const parts: Buffer[] = [];
      req.on("data", (b: Buffer) => parts.push(b));
      req.on("end", () => {
        const body = Buffer.concat(parts);
        const { method = "", url = "", headers } = req;
        this.asked.push({ address, method, path: url, headers, body });
        this.answer(req, body, res, address);
      });
    });
    server.keepAliveTimeout = 0; // a connection closed just before its next use would be this server's doing
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    return (server.address() as AddressInfo).port;
  }

  private async listenDns(): Promise<void> {
    this.udp.on("message", (query, from) => {
      const { id, questions = [] } = dns.decode(query);
      const answers = questions.map((q) => ({
        type: "A" as const,
        name: q.name,
        ttl: this.ttl,
        data: this.address,
      }));
      this.udp.send(dns.encode({ type: "response", id, questions, answers }), from.port, from.address);
    });
    await new Promise<void>((resolve) => this.udp.bind(0, "127.0.0.1", resolve));
  }
}

export function reply(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The lines of a record. */
export function lines<T>(file: string): T[] {
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
