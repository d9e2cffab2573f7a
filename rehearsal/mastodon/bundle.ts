import { build } from "esbuild";
import path from "node:path";

/** Where each program lies below the app's folder. The streaming server's place is the real one: `node ./streaming`. */
export const programs = {
  "lib/standin/web.js": "web/main.ts",
  "lib/standin/sidekiq.js": "sidekiq/main.ts",
  "lib/standin/tootctl.js": "tootctl/main.ts",
  "lib/standin/rails.js": "rails.ts",
  "streaming/index.js": "streaming/main.ts",
};

const made = new Map<string, Promise<string>>();

/** A program as one file that needs Node 20 and nothing else. */
export function bundle(entry: string): Promise<string> {
  const known = made.get(entry);
  if (known) return known;
  const text = build({
    entryPoints: [path.join(__dirname, entry)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    // Compiled extras that their libraries do without.
    external: ["pg-native", "bufferutil", "utf-8-validate"],
    logLevel: "error",
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? "");
  made.set(entry, text);
  return text;
}
