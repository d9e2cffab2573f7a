import { BootError } from "../app/config";

/** An option of a command: a number or text with its default, or a switch. */
export type Option = { alias?: string } & (
  { type: "number" | "string"; default?: string } | { type: "boolean" }
);

export interface Parsed {
  args: string[];
  flags: Record<string, string | true>;
}

/** Reads arguments the way Thor does: `--dry-run` and `--dry_run` are one, `--no-x` unsets, unknown ones are an error. */
export function parse(argv: string[], known: Record<string, Option>): Parsed {
  const parsed: Parsed = { args: [], flags: {} };
  for (const [name, o] of Object.entries(known))
    if (o.type !== "boolean" && o.default) parsed.flags[name] = o.default;
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i] ?? "";
    if (!arg.startsWith("-")) {
      parsed.args.push(arg);
      continue;
    }
    const [flag = "", inline] = arg.split(/=(.*)/s);
    const name = find(flag, known);
    const option = name === undefined ? undefined : known[name.replace(/^no-/, "")];
    if (name === undefined || !option) throw new BootError(`Unknown switches ${JSON.stringify(arg)}`);
    if (option.type === "boolean") {
      if (name.startsWith("no-")) delete parsed.flags[name.slice(3)];
      else parsed.flags[name] = true;
      continue;
    }
    const value = inline ?? argv[++i];
    if (value === undefined) throw new BootError(`No value provided for option '--${name}'`);
    if (option.type === "number" && !/^\d+$/.test(value))
      throw new BootError(`Expected numeric value for '--${name}'; got ${JSON.stringify(value)}`);
    parsed.flags[name] = value;
  }
  return parsed;
}

function find(flag: string, known: Record<string, Option>): string | undefined {
  const long = flag.startsWith("--") ? flag.slice(2).replaceAll("_", "-") : undefined;
  if (long !== undefined) return long in known || long.replace(/^no-/, "") in known ? long : undefined;
  return Object.entries(known).find(([, o]) => o.alias === flag.slice(1))?.[0];
}
