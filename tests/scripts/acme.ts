/** A certificate authority that speaks ACME (RFC 8555) as far as certbot needs it to renew: two names at most, proven over HTTP. */
import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import http from "node:http";
import https from "node:https";
import type { CertificateAuthority } from "../../rehearsal/lab/ca";

const port = 14000;

type Json = Record<string, unknown>;
interface Order {
  names: string[];
  /** Names that were. */
  proven: string[];
  certificate?: string;
}
interface Answer {
  status?: number;
  headers?: Record<string, string>;
  content?: unknown;
}

const at = (...path: (string | number)[]) => `https://acme.example:${port}/${path.join("/")}`;

export class Acme {
  readonly orders: Order[] = [];
  private readonly tokens = [0, 1].map(() => randomBytes(16).toString("base64url"));
  private server?: https.Server;

  /**
   * @param account public key that may ask here.
   * @param address where every name leads, as DNS would say.
   */
  constructor(
    private readonly ca: CertificateAuthority,
    private readonly account: JsonWebKey,
    private readonly address: string,
  ) {}

  get directory(): string {
    return at("directory");
  }

  async start(): Promise<void> {
    this.server = https.createServer(await this.ca.certificateFor(["acme.example"]), (r, w) => {
      const chunks: Buffer[] = [];
      r.on("data", (c: Buffer) => chunks.push(c));
      r.on("end", () => void this.answer(r.url ?? "", Buffer.concat(chunks).toString(), w));
    });
    await new Promise<void>((resolve) => this.server?.listen(port, resolve));
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private async answer(url: string, body: string, w: http.ServerResponse): Promise<void> {
    w.setHeader("Replay-Nonce", randomBytes(16).toString("base64url"));
    try {
      const { status = 200, headers = {}, content } = await this.serve(url, body ? this.opened(body) : {});
      w.writeHead(status, headers).end(typeof content === "string" ? content : JSON.stringify(content));
    } catch (why) {
      w.writeHead(403, { "Content-Type": "application/problem+json" });
      w.end(JSON.stringify({ type: "urn:ietf:params:acme:error:unauthorized", detail: String(why) }));
    }
  }

  /** What a request carries, if it is signed by the account. */
  private opened(body: string): Json {
    const { protected: head, payload, signature } = JSON.parse(body) as Record<string, string>;
    const key = createPublicKey({ key: this.account, format: "jwk" });
    if (!verify("sha256", Buffer.from(`${head}.${payload}`), key, Buffer.from(signature ?? "", "base64url")))
      throw new Error("not signed by the account");
    return payload ? (JSON.parse(Buffer.from(payload, "base64url").toString()) as Json) : {};
  }

  /** A path is what is asked for, the number of its order, and the number of a name of that. */
  private async serve(url: string, asked: Json): Promise<Answer> {
    const [, what, n = "0", i = "0"] = url.split("/");
    if (what === "directory")
      return {
        content: {
          newNonce: at("nonce"),
          newAccount: at("none"),
          newOrder: at("new"),
          revokeCert: at("none"),
          keyChange: at("none"),
        },
      };
    if (what === "nonce") return {};
    if (what === "new") {
      const names = (asked["identifiers"] as { value: string }[]).map(({ value }) => value);
      const number = this.orders.push({ names, proven: [] }) - 1;
      return { status: 201, headers: { Location: at("order", number) }, content: this.shown(number) };
    }
    const order = this.orders[Number(n)];
    const name = order?.names[Number(i)];
    if (!order || !name) throw new Error(`there is no ${url}`);
    if (what === "proof" && (await this.answered(name, this.tokens[Number(i)]))) order.proven.push(name);
    if (what === "finalize") order.certificate = await this.issue(order, String(asked["csr"]));
    if (what === "certificate") return { content: order.certificate };
    const status = order.proven.includes(name) ? "valid" : "pending";
    const challenge = { type: "http-01", url: at("proof", n, i), token: this.tokens[Number(i)], status };
    if (what === "proof") return { headers: { Link: `<${at("name", n, i)}>;rel="up"` }, content: challenge };
    if (what !== "name") return { content: this.shown(Number(n)) };
    return { content: { identifier: { type: "dns", value: name }, status, challenges: [challenge] } };
  }

  private shown(number: number): Json {
    const { names, proven, certificate } = this.orders[number]!;
    return {
      status: certificate ? "valid" : proven.length === names.length ? "ready" : "pending",
      identifiers: names.map((value) => ({ type: "dns", value })),
      authorizations: names.map((_, i) => at("name", number, i)),
      finalize: at("finalize", number),
      ...(certificate && { certificate: at("certificate", number) }),
    };
  }

  private async issue({ names, proven }: Order, csr: string): Promise<string> {
    if (names.some((name) => !proven.includes(name))) throw new Error("not every name is proven");
    const lines =
      Buffer.from(csr, "base64url")
        .toString("base64")
        .match(/.{1,64}/g) ?? [];
    const kind = "CERTIFICATE REQUEST-----";
    return this.ca.sign([`-----BEGIN ${kind}`, ...lines, `-----END ${kind}\n`].join("\n"));
  }

  /** Asks for the file as an authority does, by name over plain HTTP. */
  private async answered(name: string, token = ""): Promise<boolean> {
    const { e, kty, n } = this.account;
    const thumb = createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
    const path = `/.well-known/acme-challenge/${token}`;
    const said = await new Promise<string>((resolve, reject) => {
      const asked = http.get({ host: this.address, path, headers: { Host: name } }, (r) => {
        let text = "";
        r.on("data", (c: Buffer) => (text += c.toString()));
        r.on("end", () => resolve(text));
      });
      asked.on("error", reject);
    });
    if (said !== `${token}.${thumb}`) throw new Error(`${name} answered ${said.slice(0, 200)}`);
    return true;
  }
}
