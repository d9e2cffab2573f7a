/** A cloud's JSON API over HTTP, for clients that are not plugins of the engine. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "./api";
import type { Props } from "./values";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Props;
}

/** An answer that is no success: thrown by a handler. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: Props,
  ) {
    super(JSON.stringify(body));
  }
}

export interface HttpApi {
  url: string;
  stop(): Promise<void>;
}

/** Serves on a free port of the address; every call passes the API's faults and is on its record. */
export async function serveHttp(
  name: string,
  api: Api,
  listen: string,
  handle: (asked: Asked) => Promise<Props>,
): Promise<HttpApi> {
  const server = http.createServer((req, res) => {
    const answer = (status: number, body: Props): void => {
      res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    void read(req)
      .then((asked) => api.served(name, `${asked.method} ${asked.path}`, () => handle(asked)))
      .then((outcome) => {
        if (typeof outcome === "object") answer(200, outcome);
        else if (outcome === "500" || outcome === "429") answer(Number(outcome), { message: "not now" });
        else res.destroy();
      })
      .catch((e: Error) =>
        e instanceof Refusal ? answer(e.status, e.body) : answer(500, { message: e.message }),
      );
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, listen, resolve));
  return {
    url: `http://${listen}:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(req: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  const url = new URL(req.url ?? "/", "http://api");
  const body = text ? (JSON.parse(text) as Props) : {};
  return {
    method: req.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: req.headers,
    body,
  };
}
