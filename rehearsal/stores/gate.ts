/**
 * What stands before a store's S3 server: it adds what that server lacks (ACLs of objects), what the vendor's store refuses,
 * and accidents. Requests pass as they are, so that their signatures stay good.
 */
import { chmod, stat } from "node:fs/promises";
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { allRights, type BucketSettings, type Right } from "./bucket";
import { answers, Faults } from "./faults";
import { parseTarget, type StoreKind } from "./names";
import { anonymous, denied, refuse, type Refusal } from "./quirks";

/** What the gate asks about; the store's books. */
export interface Books {
  kind: StoreKind;
  /** Name of the S3 API. */
  host: string;
  /** The S3 server's port on loopback, and its folder of buckets. */
  port: number;
  data: string;
  settings(bucket: string): BucketSettings | undefined;
  rights(accessKey: string): Right[] | undefined;
}

interface Request {
  req: IncomingMessage;
  res: ServerResponse;
  bucket: string;
  key: string;
  query: URLSearchParams;
}

/** Signatures older or younger than this are refused, as everywhere. */
const maxSkewMs = 15 * 60_000;

export class Gate {
  readonly faults = new Faults();
  /** How far the store's clock is ahead of the machine's. */
  clockAheadMs = 0;
  /** Answers so far by method and status, as `PUT 200`. */
  readonly answered = new Map<string, number>();
  private readonly pending = new Map<string, Promise<void>>();
  private readonly uploads = new Map<string, boolean>();

  constructor(private readonly books: Books) {}

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const target = parseTarget(req.headers.host ?? "", req.url ?? "/", this.books.host);
    const r: Request = { req, res, ...target, query: new URLSearchParams(target.query) };
    res.sendDate = false;
    res.setHeader("date", new Date(Date.now() + this.clockAheadMs).toUTCString());
    res.once("finish", () => this.count(`${req.method} ${res.statusCode}`));
    const who = accessKeyOf(r);
    if (who !== undefined && req.method === "PUT" && r.key !== "") await this.faults.hold?.pass();
    const fault = this.faults.next(req, r.key, who !== undefined);
    if (fault === "timeout") return void req.resume();
    if (fault === "truncate") return this.forward(r, true);
    if (fault) return say(r, answers[fault]);
    const refusal = who === undefined ? await this.refuseAnonymous(r) : this.refuseSigned(r, who);
    if (refusal) return say(r, refusal);
    if (who !== undefined && r.query.has("acl")) return this.acl(r);
    return this.forward(r, false);
  }

  private async refuseAnonymous(r: Request): Promise<Refusal | undefined> {
    if (r.req.method === "OPTIONS") return undefined;
    const settings = this.books.settings(r.bucket);
    const reads = ["GET", "HEAD"].includes(r.req.method ?? "") && r.key !== "" && ![...r.query.keys()].length;
    if (!reads || !settings) return anonymous[this.books.kind];
    if (settings.publicRead) return undefined;
    if (settings.acl !== "object") return anonymous[this.books.kind];
    await this.pending.get(`${r.bucket}/${r.key}`);
    // A missing object and a private one look the same to who may not list.
    const mode = await stat(this.file(r)).then(
      (s) => s.mode,
      () => 0,
    );
    return mode & 0o004 ? undefined : denied;
  }

  private refuseSigned(r: Request, who: string): Refusal | undefined {
    const now = Date.now() + this.clockAheadMs;
    if (Math.abs(signedAt(r) - now) > maxSkewMs)
      return {
        status: 403,
        code: "RequestTimeTooSkewed",
        message: "The difference between the request time and the current time is too large.",
      };
    const settings = this.books.settings(r.bucket);
    if (!settings) return undefined; // the server says what there is to say
    const { method = "", headers } = r.req;
    const rights = this.books.rights(who) ?? allRights;
    return refuse(this.books.kind, { method, key: r.key, query: r.query, headers, settings, rights });
  }

  /** The server checks signature and rights, then says that it has no ACLs; from there on it is ours. */
  private async acl(r: Request): Promise<void> {
    const answer = await this.upstream(r);
    const text = await body(answer);
    if (answer.statusCode !== 501) return reply(r, answer, text);
    const wanted = r.req.headers["x-amz-acl"] as string | undefined;
    const mode = await stat(this.file(r)).then(
      (s) => s.mode,
      () => undefined,
    );
    if (mode === undefined)
      return say(r, { status: 404, code: "NoSuchKey", message: "The specified key does not exist." });
    if (r.req.method === "PUT") {
      await chmod(this.file(r), isPublic(wanted) ? 0o644 : 0o600);
      r.res.writeHead(200).end();
    } else {
      r.res.writeHead(200, { "content-type": "application/xml" }).end(aclXml((mode & 0o004) !== 0));
    }
  }

  /** Lets a request through, and sets an upload's ACL before anyone learns that it is there. */
  private async forward(r: Request, broken: boolean): Promise<void> {
    const { method = "", headers } = r.req;
    const given = isPublic(headers["x-amz-acl"] as string | undefined);
    const begins = method === "POST" && r.query.has("uploads");
    const upload = r.query.get("uploadId");
    const ends = method === "POST" && upload !== null;
    const writes = ends || (method === "PUT" && r.key !== "" && upload === null && !r.query.has("tagging"));
    let release = () => {};
    const name = `${r.bucket}/${r.key}`;
    if (writes) this.pending.set(name, new Promise<void>((resolve) => (release = resolve)));
    try {
      const answer = await this.upstream(r, broken);
      const ok = (answer.statusCode ?? 500) < 300;
      if (!begins && !writes) return stream(r, answer, broken);
      const text = await body(answer);
      if (begins && ok) this.uploads.set(/<UploadId>([^<]+)/.exec(text.toString())?.[1] ?? "", given);
      const open = ends ? this.uploads.get(upload) : given;
      if (writes && ok && open && this.books.settings(r.bucket)?.acl === "object")
        await chmod(this.file(r), 0o644);
      reply(r, answer, text);
    } finally {
      release();
      if (writes) this.pending.delete(name);
    }
  }

  /** Sends the request on; broken: only the first half of its body, then the line is cut. */
  private upstream({ req, res }: Request, broken = false): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, headers, url: target } = req;
      const on = http.request({
        host: "127.0.0.1",
        port: this.books.port,
        method,
        path: target,
        headers,
        agent: false,
      });
      on.once("response", resolve);
      on.once("error", (e) => (res.destroy(), reject(e)));
      res.once("close", () => res.writableEnded || on.destroy());
      const half = Number(headers["content-length"] ?? 0) / 2;
      if (!broken || half === 0) return void req.pipe(on);
      let seen = 0;
      req.on("data", (data: Buffer) => {
        seen += data.length;
        if (seen < half) return void on.write(data);
        on.write(data.subarray(0, Math.floor(data.length / 2)), () => (on.destroy(), req.socket.destroy()));
      });
    });
  }

  private file(r: Request): string {
    return path.join(this.books.data, r.bucket, r.key);
  }

  private count(what: string): void {
    this.answered.set(what, (this.answered.get(what) ?? 0) + 1);
  }
}

/** Whose signature a request bears, in its headers or, where it was signed beforehand, in its address. */
function accessKeyOf({ req, query }: Request): string | undefined {
  const header = /Credential=([^/]+)\//.exec(req.headers.authorization ?? "")?.[1];
  const given = query.get("X-Amz-Credential")?.split("/")[0] ?? query.get("AWSAccessKeyId");
  return header ?? given ?? (req.headers.authorization === undefined ? undefined : "");
}

function signedAt({ req, query }: Request): number {
  const text = (req.headers["x-amz-date"] as string | undefined) ?? query.get("X-Amz-Date") ?? "";
  const at = Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/, "$1-$2-$3:$4:"));
  return Number.isNaN(at) ? Date.now() : at;
}

const isPublic = (acl: string | undefined) => acl === "public-read" || acl === "public-read-write";

async function body(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The server's headers; the date is told by the store's own clock. */
function dateless({ headers: { date: _, ...headers } }: IncomingMessage): IncomingHttpHeaders {
  return headers;
}

function reply({ res }: Request, answer: IncomingMessage, text: Buffer): void {
  res.writeHead(answer.statusCode ?? 500, dateless(answer)).end(text);
}

/** Passes an answer on as it comes; broken: half of it, then the line is cut. */
function stream({ req, res }: Request, answer: IncomingMessage, broken: boolean): void {
  res.writeHead(answer.statusCode ?? 500, dateless(answer));
  if (!broken) return void answer.pipe(res);
  answer.once("data", (data: Buffer) => {
    res.write(data.subarray(0, Math.floor(data.length / 2)), () => req.socket.destroy());
  });
}

function say({ req, res }: Request, { status, code, message }: Refusal): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  req.resume();
  res.writeHead(status, { "content-type": "application/xml" }).end(req.method === "HEAD" ? undefined : xml);
}

function aclXml(open: boolean): string {
  const all = `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>`;
  const own = `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>owner</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>owner</ID></Owner><AccessControlList>${own}${open ? all : ""}</AccessControlList></AccessControlPolicy>`;
}
