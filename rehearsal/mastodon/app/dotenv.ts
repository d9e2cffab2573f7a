/**
 * Reads the text of a dotenv file. Ruby's dotenv replaces `$NAME` outside single quotes, Node's does not: a password
 * with a dollar sign reads differently in the two, here as there.
 */
export function parseDotenv(text: string, language: "ruby" | "node"): Record<string, string> {
  const values: Record<string, string> = {};
  const line =
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*[=:][ \t]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^#\r\n]*)?[^\r\n]*$/gm;
  for (const [, name = "", raw = ""] of text.matchAll(line)) {
    const written = raw.trim();
    const quote = /^(['"])([\s\S]*)\1$/.exec(written);
    let value = quote ? (quote[2] ?? "") : written;
    if (quote?.[1] === '"') value = value.replaceAll("\\n", "\n").replaceAll("\\r", "\r");
    if (quote?.[1] !== "'" && language === "ruby") value = substitute(value, values);
    values[name] = value;
  }
  return values;
}

function substitute(value: string, known: Record<string, string>): string {
  return value
    .replace(/(\\)?\$\{?([A-Z_]\w*)\}?/gi, (all, escaped, name) =>
      escaped ? all.slice(1) : (process.env[name] ?? known[name] ?? ""),
    )
    .replace(/\\([^$])/g, "$1");
}
