/** What Mastodon's delivery worker does with an answer to a delivery. Status 0 is a network error or a time-out. */
export type Verdict = "delivered" | "dropped" | "retry";

export function verdict(status: number): Verdict {
  if (status >= 200 && status < 300) return "delivered";
  if (status === 501 || (status >= 400 && status < 500 && ![401, 408, 429].includes(status)))
    return "dropped";
  return "retry";
}

/** How many retries a delivery gets before it is given up. */
export const retries = 16;

/** Seconds until retry n, the first being 0: 15, 16, 31, 96, 271, … */
export function backoff(n: number): number {
  return n ** 4 + 15;
}
