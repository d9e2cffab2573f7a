/**
 * Prints the table of configuration keys from Pulumi.yaml's schema: `node --import tsx docs/keys.ts >
 * docs/keys.md`.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

export interface Key {
  type: string;
  description: string;
  default?: string | number | boolean;
  secret?: boolean;
}

export function readKeys(): Record<string, Key> {
  const text = readFileSync(path.join(__dirname, "..", "Pulumi.yaml"), "utf8");
  return (parse(text) as { config: Record<string, Key> }).config;
}

export function keysPage(keys: Record<string, Key>): string {
  const rows = Object.entries(keys).map(
    ([name, k]) => `| \`${name}\` | ${k.type} | ${standard(k)} | ${k.description} |`,
  );
  return [
    "# Configuration keys",
    "",
    "Set with `pulumi config set KEY VALUE`. This page is made from `Pulumi.yaml` by `docs/keys.ts`.",
    "",
    "| key | type | default | what it is |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function standard(k: Key): string {
  if (k.default === undefined) return k.secret ? "required, secret" : "required";
  return k.default === "" ? "–" : `\`${k.default}\``;
}

if (require.main === module) process.stdout.write(keysPage(readKeys()));
