import { setTimeout as delay } from "node:timers/promises";

export interface Call {
  method?: "GET" | "POST";
  headers: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
}

/** An API's refusal: its status, its own code, its message. */
export class ApiError extends Error {
  constructor(
    readonly call: string,
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(`${call}: ${status} ${code}: ${message}`);
  }
}

/** Answers that mean "again later"; 408 and 5xx may have been done all the same, which every caller can bear. */
const passing = [408, 429, 500, 502, 503, 504];
const tries = 5;

/** One call to a JSON API, and again where it was only busy. @throws ApiError */
export async function call<T>(url: string, o: Call): Promise<T> {
  const { pathname } = new URL(url);
  for (let n = 1; ; n++) {
    const answer = await once(url, o).catch((e: Error) => e);
    if (!(answer instanceof Error) && answer.ok) return (await read(answer)) as T;
    const busy = answer instanceof Error || passing.includes(answer.status);
    if (busy && n < tries) {
      await delay(pauseMs(answer, n));
      continue;
    }
    if (answer instanceof Error) throw new Error(`${pathname}: no answer: ${whyOf(answer)}`);
    throw refusal(pathname, answer.status, await read(answer));
  }
}

function once(url: string, { method = "POST", headers, body }: Call): Promise<Response> {
  return fetch(url, {
    ...{ method, signal: AbortSignal.timeout(60_000) },
    headers: {
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

function pauseMs(answer: Response | Error, n: number): number {
  const asked = answer instanceof Error ? NaN : Number(answer.headers.get("retry-after") ?? NaN);
  return Number.isFinite(asked) ? Math.min(asked, 60) * 1000 : 500 * 2 ** (n - 1);
}

async function read(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return { message: text.slice(0, 200) };
  }
}

/** Backblaze writes its fields small, Bunny with capitals. */
function refusal(path: string, status: number, body: unknown): ApiError {
  const { code, message, ErrorKey, Message } = body as Record<string, string | undefined>;
  return new ApiError(path, status, code ?? ErrorKey ?? "", message ?? Message ?? "");
}

function whyOf(e: Error): string {
  return e.cause instanceof Error ? e.cause.message : e.message;
}
