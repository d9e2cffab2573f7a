import { createHash, createSign, generateKeyPairSync } from "node:crypto";
import dgram from "node:dgram";
import https from "node:https";

export interface Received {
  path: string;
  headers: Record<string, unknown>;
  activity: { type: string; object?: { id?: string; content?: string } | string };
}

/** Another server of the fediverse with one inhabitant, and the name server that knows it; both on the lab's edge. */
export class Elsewhere {
  readonly uri = "https://elsewhere.example/users/zoe";
  readonly inbox: Received[] = [];
  /** What its inbox answers. */
  answer = 202;
  private readonly key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  private readonly names = dgram.createSocket("udp4");
  private server?: https.Server;

  async start(certificate: { cert: string; key: string }): Promise<void> {
    this.names.on("message", (m, from) => this.names.send(answer(m, "198.18.2.1"), from.port, from.address));
    await new Promise<void>((resolve) => this.names.bind(53, "198.18.2.53", resolve));
    this.server = https.createServer(certificate, (r, w) => {
      const chunks: Buffer[] = [];
      r.on("data", (c: Buffer) => chunks.push(c));
      r.on("end", () => {
        if (r.method === "GET") return void w.end(JSON.stringify(this.actor()));
        const activity = JSON.parse(Buffer.concat(chunks).toString()) as Received["activity"];
        this.inbox.push({ path: r.url ?? "", headers: r.headers, activity });
        w.writeHead(this.answer).end();
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(443, "198.18.2.1", resolve));
  }

  stop(): void {
    this.names.close();
    this.server?.closeAllConnections();
    this.server?.close();
  }

  /** The headers of a signed POST to an inbox. */
  sign(path: string, body: string, date = new Date()): Record<string, string> {
    const digest = "SHA-256=" + createHash("sha256").update(body).digest("base64");
    const headers = { host: "social.example", date: date.toUTCString(), digest };
    const text = [
      `(request-target): post ${path}`,
      ...Object.entries(headers).map(([n, v]) => `${n}: ${v}`),
    ].join("\n");
    const signature = createSign("rsa-sha256").update(text).sign(this.key.privateKey, "base64");
    const names = "(request-target) host date digest";
    return {
      ...headers,
      "content-type": "application/activity+json",
      signature: `keyId="${this.uri}#main-key",algorithm="rsa-sha256",headers="${names}",signature="${signature}"`,
    };
  }

  private actor(): object {
    const publicKeyPem = this.key.publicKey.export({ type: "spki", format: "pem" });
    return {
      id: this.uri,
      type: "Person",
      preferredUsername: "zoe",
      inbox: `${this.uri}/inbox`,
      endpoints: { sharedInbox: "https://elsewhere.example/inbox" },
      publicKey: { id: `${this.uri}#main-key`, owner: this.uri, publicKeyPem },
    };
  }
}

/** An answer to a question for an address: always this one, never an IPv6 one. */
export function answer(question: Buffer, address: string): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const wanted = question.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8580, 2);
  head.writeUInt16BE(wanted ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  if (!wanted) return head;
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([head, record]);
}
