import { cached } from "../app/instance";
import type { Request, Response } from "./http";

/**
 * What the Rails cache keeps of an answer for three minutes, whoever asks: its whole body, addresses of files included.
 * After these have changed, `tootctl cache clear` is what makes it forget.
 */
export async function remembered(
  r: Request,
  key: string,
  render: () => Promise<Response>,
): Promise<Response> {
  return cached<Response>(r, key, 180, async () => {
    const response = await render();
    return { ...response, body: response.body.toString() };
  });
}
