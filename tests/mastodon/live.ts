import assert from "node:assert/strict";
import https from "node:https";
import WebSocket from "ws";
import type { LabHost } from "../../rehearsal/lab";
import type { Installed } from "../../rehearsal/mastodon";

export const domain = "social.example";
export const address = "198.18.0.10";

export interface Reply {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

export const json = (r: Reply) => JSON.parse(r.body.toString()) as Record<string, unknown> & { id: string };

/** An installed instance, from outside through HTTPS and from inside through its database and Redis. */
export class Live {
  constructor(
    readonly host: LabHost,
    readonly installed: Installed,
    private readonly ca: Buffer,
  ) {}

  ask(
    method: string,
    path: string,
    o: { headers?: Record<string, string>; body?: string | Buffer } = {},
  ): Promise<Reply> {
    const headers = { host: domain, ...o.headers };
    return new Promise((resolve, reject) => {
      const options = { host: address, servername: domain, ca: this.ca, method, path, headers };
      const request = https.request(options, (r) => {
        const chunks: Buffer[] = [];
        r.on("data", (c: Buffer) => chunks.push(c));
        r.on("end", () =>
          resolve({ status: r.statusCode ?? 0, headers: r.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.on("error", reject);
      request.end(o.body);
    });
  }

  /** The header that makes a request one of the nth user's. */
  as(n: number): Record<string, string> {
    return { authorization: `Bearer ${this.installed.users[n]?.token}` };
  }

  post(n: number, status: object, headers: Record<string, string> = {}): Promise<Reply> {
    const all = { ...this.as(n), "content-type": "application/json", ...headers };
    return this.ask("POST", "/api/v1/statuses", { headers: all, body: JSON.stringify(status) });
  }

  owner(): Record<string, string> {
    return { authorization: `Bearer ${this.installed.admin.token}` };
  }

  /** Uploads a picture as the nth user. */
  async upload(n: number, picture: Buffer): Promise<ReturnType<typeof json>> {
    const reply = await this.send("POST", "/api/v2/media", n, "file", picture);
    assert.equal(reply.status, 200, reply.body.toString());
    return json(reply);
  }

  /** Gives the nth user another face. */
  face(n: number, picture: Buffer): Promise<Reply> {
    return this.send("PATCH", "/api/v1/accounts/update_credentials", n, "avatar", picture);
  }

  connect(stream: string): WebSocket {
    const options = { ca: this.ca, servername: domain, headers: { host: domain } };
    return new WebSocket(`wss://${address}/api/v1/streaming?stream=${stream}`, options);
  }

  private send(method: string, path: string, n: number, field: string, picture: Buffer): Promise<Reply> {
    const head =
      `--x\r\nContent-Disposition: form-data; name="${field}"; filename="a.png"\r\n` +
      "Content-Type: image/png\r\n\r\n";
    const body = Buffer.concat([Buffer.from(head), picture, Buffer.from("\r\n--x--\r\n")]);
    return this.ask(method, path, {
      headers: { ...this.as(n), "content-type": "multipart/form-data; boundary=x" },
      body,
    });
  }

  async sql(query: string): Promise<string> {
    const psql = ["runuser", "-u", "mastodon", "--", "psql", "-AtX", "mastodon_production", "-c", query];
    return (await this.host.exec(psql)).stdout.trim();
  }

  async redis(...command: string[]): Promise<string> {
    const read = `sed -n "s/^REDIS_PASSWORD='\\(.*\\)'$/\\1/p" /home/mastodon/live/.env.production`;
    const password = (await this.host.sh(read)).stdout.trim();
    return (
      await this.host.exec(["redis-cli", "--no-auth-warning", "-a", password, ...command])
    ).stdout.trim();
  }
}

export async function until(
  what: string,
  fits: () => Promise<boolean> | boolean,
  ms = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await new Promise((r) => setTimeout(r, 100)))
    if (await fits()) return;
  assert.fail(`waited ${ms / 1000} s: ${what}`);
}
