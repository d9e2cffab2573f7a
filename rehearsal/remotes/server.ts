import https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Journal } from "../people/record";
import { now } from "../people/record";
import type { Web } from "../people/web";
import { type Activity, objectOf } from "./activities";
import { type Actor, document, webfinger } from "./actor";
import { claimOf } from "./signature";

export interface ServerOptions {
  certificate: { cert: string; key: string };
  address: string;
  port: number;
  actors: Actor[];
  /** How to ask the instance for its users' keys. */
  web: Web;
  records: Journal;
  onReceived(host: string, activity: Activity): void;
  onRefused(reason: string): void;
}

/** The remote servers' own side: actors to be looked up, and inboxes that check who signed. */
export class Server {
  private readonly https: https.Server;
  private readonly keys = new Map<string, Promise<string>>();

  constructor(private readonly o: ServerOptions) {
    this.https = https.createServer(o.certificate, (req, res) => {
      this.answer(req, res).catch((e: Error) => send(res, 500, { error: e.message }));
    });
    this.https.keepAliveTimeout = 20_000;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.https.once("error", reject).listen(this.o.port, this.o.address, resolve);
    });
  }

  close(): Promise<void> {
    this.https.closeAllConnections();
    return new Promise((resolve) => this.https.close(() => resolve()));
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const host = String(req.headers.host ?? "").replace(/:\d+$/, "");
    const url = new URL(req.url ?? "/", `https://${host}`);
    if (req.method === "POST" && /^(\/users\/\w+)?\/inbox$/.test(url.pathname))
      return this.inbox(req, res, host);
    if (req.method !== "GET") return send(res, 405, { error: "method not allowed" });
    const asked = url.searchParams.get("resource")?.match(/^acct:(\w+)@(.+)$/);
    const found = this.o.actors.find((a) =>
      asked
        ? a.username === asked[1] && a.host === asked[2]
        : a.host === host && url.pathname === `/users/${a.username}`,
    );
    if (!found) return send(res, 404, { error: "not found" });
    if (asked) return send(res, 200, webfinger(found), "application/jrd+json");
    return send(res, 200, document(found));
  }

  private async inbox(req: IncomingMessage, res: ServerResponse, host: string): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    const fault = await this.fault(req, body);
    if (fault) {
      this.o.records.write({ t: now(), kind: "refused", host, reason: fault });
      this.o.onRefused(fault);
      return send(res, 401, { error: fault });
    }
    const activity = JSON.parse(body) as Activity;
    const { id, type, actor } = activity;
    this.o.records.write({ t: now(), kind: "received", host, id, type, actor, object: objectOf(activity) });
    this.o.onReceived(host, activity);
    send(res, 202, {});
  }

  /** What is wrong with a delivery's signature, if anything. */
  private async fault(req: IncomingMessage, body: string): Promise<string | undefined> {
    try {
      const claim = claimOf("post", req.url ?? "", req.headers, body);
      const { actor } = JSON.parse(body) as Activity;
      if (claim.keyId.replace(/#.*$/, "") !== actor) return `signed by ${claim.keyId}, not by ${actor}`;
      return claim.fault(await this.keyOf(actor));
    } catch (e) {
      return (e as Error).message;
    }
  }

  private keyOf(actor: string): Promise<string> {
    const known = this.keys.get(actor) ?? this.fetchKey(actor);
    this.keys.set(actor, known);
    known.catch(() => this.keys.delete(actor));
    return known;
  }

  private async fetchKey(actor: string): Promise<string> {
    const headers = { accept: "application/activity+json" };
    const reply = await this.o.web.send({
      kind: "actor",
      method: "GET",
      path: new URL(actor).pathname,
      headers,
    });
    if (!reply.ok) throw new Error(`${actor} answered ${reply.status}`);
    const found = JSON.parse(reply.body.toString()) as { publicKey?: { publicKeyPem?: string } };
    if (!found.publicKey?.publicKeyPem) throw new Error(`${actor} shows no key`);
    return found.publicKey.publicKeyPem;
  }
}

function send(res: ServerResponse, status: number, body: object, type = "application/activity+json"): void {
  res.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
}
