/** The clouds' APIs as their clients see them: calls that may fail, and what each client then does by itself. */
import { setTimeout as delay } from "node:timers/promises";
import type { Context, Function, Package, Resource } from "./resource";

/** Makes the next calls that match fail. */
export interface ApiFault {
  /** hcloud, vultr, cloudflare or aws; b2 or bunny, whose answers are HTTP and whose client is the program's own. */
  package: string;
  /**
   * "500", "429": answered so, nothing was done. "timeout": no answer, nothing was done. "lost": it was done, the
   * answer never came.
   */
  kind: "500" | "429" | "timeout" | "lost";
  /** How many calls fail; a client's own retries count. */
  times: number;
  /** Only calls whose text holds this, such as "DnsRecord" or "create hcloud:index/server:Server". @default all */
  match?: string;
}

/** One call, for the record. */
export interface ApiCall {
  at: number;
  package: string;
  call: string;
  outcome: string;
}

interface Client {
  retries: number;
  /** Before the nth retry, in ms. */
  pause(n: number): number;
  retried: ApiFault["kind"][];
  error(kind: ApiFault["kind"], call: string): string;
}

/** What the real clients do: hcloud-go v2, cloudflare-go (stainless), govultr with go-retryablehttp. */
const CLIENTS: Record<string, Client> = {
  hcloud: {
    retries: 5,
    pause: (n) => 1000 * 2 ** (n - 1),
    retried: ["429", "timeout", "lost"],
    error: (kind) =>
      kind === "429"
        ? "rate limit exceeded (rate_limit_exceeded)"
        : kind === "500"
          ? "hcloud: server responded with status code 500"
          : "hcloud: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
  },
  cloudflare: {
    retries: 2,
    pause: (n) => 500 * 2 ** (n - 1),
    retried: ["500", "429", "timeout", "lost"],
    error: (kind, call) =>
      kind === "429"
        ? `failed to make http request: ${call}: 429 Too Many Requests {"errors":[{"code":10429,"message":"Rate limited"}]}`
        : kind === "500"
          ? `failed to make http request: ${call}: 500 Internal Server Error {"errors":[{"code":10001,"message":"Internal error"}]}`
          : `failed to make http request: ${call}: context deadline exceeded`,
  },
  /** The SDK's standard mode: three attempts. */
  aws: {
    retries: 2,
    pause: (n) => 200 * 2 ** (n - 1),
    retried: ["500", "429", "timeout", "lost"],
    error: (kind, call) =>
      `operation error ${call}: exceeded maximum number of attempts, 3, ` +
      (kind === "429"
        ? "https response error StatusCode: 400, api error Throttling: Rate exceeded"
        : kind === "500"
          ? "https response error StatusCode: 500, api error InternalError: We encountered an internal error"
          : "request send failed, context deadline exceeded"),
  },
  vultr: {
    retries: 3,
    pause: () => 500,
    retried: ["500", "429", "timeout", "lost"],
    error: (kind) =>
      kind === "timeout" || kind === "lost"
        ? "gave up after 4 attempts: context deadline exceeded"
        : `gave up after 4 attempts, last error: {"error":"${kind === "429" ? "Rate limit reached" : "Internal server error"}","status":${kind}}`,
  },
};

/** APIs that are served over HTTP: whoever asks does the retrying. */
const SERVED = ["b2", "bunny"];

/** How long a client waits for an answer that does not come; the real ones wait longer. */
const NO_ANSWER_MS = 2_000;

export class Api {
  readonly calls: ApiCall[] = [];
  private faults: ApiFault[] = [];

  fail(fault: ApiFault): void {
    const known = [...Object.keys(CLIENTS), ...SERVED];
    if (!known.includes(fault.package))
      throw new Error(`no such API: "${fault.package}"; there are ${known.join(", ")}`);
    this.faults.push({ ...fault });
  }

  /** Takes all faults back, and gives those that have not struck, or not as often as they were to. */
  heal(): ApiFault[] {
    const left = this.faults.filter((f) => f.times > 0);
    this.faults = [];
    return left;
  }

  private next(pkg: string, call: string): ApiFault["kind"] | undefined {
    const found = this.faults.find((f) => f.package === pkg && f.times > 0 && call.includes(f.match ?? ""));
    if (found) found.times--;
    return found?.kind;
  }

  /** Makes one call, with the real client's retries. */
  async call<T>(pkg: string, call: string, action: () => Promise<T>): Promise<T> {
    const client = CLIENTS[pkg];
    for (let tried = 0; ; tried++) {
      const kind = this.next(pkg, call);
      if (!kind || !client) return this.recorded(pkg, call, action);
      if (kind === "lost") await this.recorded(pkg, call, action);
      else this.calls.push({ at: Date.now(), package: pkg, call, outcome: kind });
      if (kind === "lost" || kind === "timeout") await delay(NO_ANSWER_MS);
      if (tried >= client.retries || !client.retried.includes(kind))
        throw new Error(client.error(kind, call));
      await delay(client.pause(tried + 1));
    }
  }

  /** One call to an API that is served over HTTP: whether it fails this time, and if not, what it does. */
  async served<T>(pkg: string, call: string, action: () => Promise<T>): Promise<T | ApiFault["kind"]> {
    const kind = this.next(pkg, call);
    if (!kind || kind === "lost") {
      const answer = await this.recorded(pkg, call, action);
      return kind ?? answer;
    }
    this.calls.push({ at: Date.now(), package: pkg, call, outcome: kind });
    return kind;
  }

  private async recorded<T>(pkg: string, call: string, action: () => Promise<T>): Promise<T> {
    const entry: ApiCall = { at: Date.now(), package: pkg, call, outcome: "ok" };
    this.calls.push(entry);
    try {
      return await action();
    } catch (e) {
      entry.outcome = (e as Error).message;
      throw e;
    }
  }
}

/** The same package, with every operation going through the API. */
export function throughApi(pkg: Package, api: Api): Package {
  const wrapResource = ([token, r]: [string, Resource]): [string, Resource] => {
    const call = <T>(verb: string, c: Context, work: () => Promise<T>): Promise<T> =>
      api.call(pkg.name, `${verb} ${token} ${c.name}`, work);
    const { create, read, update, delete: remove } = r;
    return [
      token,
      {
        ...r,
        create: (inputs, c) => call("create", c, () => create(inputs, c)),
        read: read && ((id, c) => call("read", c, () => read(id, c))),
        update: update && ((id, inputs, old, c) => call("update", c, () => update(id, inputs, old, c))),
        delete: remove && ((id, old, c) => call("delete", c, () => remove(id, old, c))),
      },
    ];
  };
  const wrapFunction = ([token, fn]: [string, Function]): [string, Function] => [
    token,
    (args, c) => api.call(pkg.name, `invoke ${token}`, () => fn(args, c)),
  ];
  return {
    ...pkg,
    resources: Object.fromEntries(Object.entries(pkg.resources).map(wrapResource)),
    functions: Object.fromEntries(Object.entries(pkg.functions ?? {}).map(wrapFunction)),
  };
}
