import http, { type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  method: string;
  path: string;
  host: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An S3 store that notes what it is asked and answers as it is told: first with `answers`, one each, then that all is well. */
export class Store {
  readonly asked: Asked[] = [];
  /** Error codes with their status, `silence` for no answer. */
  readonly answers: ([status: number, code: string] | "silence")[] = [];
  private readonly server = http.createServer((r, w) => {
    const chunks: Buffer[] = [];
    r.on("data", (c: Buffer) => chunks.push(c));
    r.on("end", () => {
      const { method = "", url: path = "", headers } = r;
      const body = Buffer.concat(chunks).toString("latin1");
      this.asked.push({ method, path, host: headers.host ?? "", headers, body });
      const told = this.answers.shift();
      if (told === "silence") return;
      const xml = told
        ? `<Error><Code>${told[1]}</Code><Message>told</Message></Error>`
        : answer(method, path);
      w.writeHead(told?.[0] ?? 200, { "content-type": "application/xml", etag: '"e"' });
      w.end(method === "HEAD" ? undefined : xml);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function answer(method: string, path: string): string {
  if (method === "POST" && path.includes("?uploads"))
    return "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
  if (method === "POST")
    return "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
  if (!path.includes("list-type=2")) return "";
  const more = !path.includes("continuation-token");
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? "<NextContinuationToken>t</NextContinuationToken>" : ""}
    <Contents><Key>${more ? "a" : "b"}</Key></Contents></ListBucketResult>`;
}
