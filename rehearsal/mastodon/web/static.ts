import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../app/config";
import type { Response } from "./http";

const types: Record<string, string> = {
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".html": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

/** A file below `public`, which the app serves itself only in a container (RAILS_SERVE_STATIC_FILES). */
export async function publicFile(config: Config, target: string): Promise<Response | undefined> {
  if (!config.env.RAILS_SERVE_STATIC_FILES) return undefined;
  const root = path.join(config.root, "public");
  const file = path.join(root, decodeURIComponent(target));
  const type = types[path.extname(file)] ?? "application/octet-stream";
  if (!file.startsWith(`${root}/`)) return undefined;
  const body = await readFile(file).catch(() => undefined);
  const headers = { "cache-control": "public, max-age=2419200, must-revalidate" };
  return body && { status: 200, body, type, headers };
}
