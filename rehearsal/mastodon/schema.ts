import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

/** The schema's text, with a salt of its own. */
export function schema(): string {
  const parts = ["functions", "accounts", "content", "site", "indexes"];
  const text = parts
    .map((part) => readFileSync(path.join(__dirname, "schema", `${part}.sql`), "utf8"))
    .join("\n");
  return text.replace("@SALT@", randomBytes(16).toString("hex"));
}
