import { BootError } from "../app/config";
import type { Parsed } from "./options";

export function say(line: string, p?: Parsed): void {
  process.stdout.write(`${line}${p?.flags["dry-run"] ? " (DRY RUN)" : ""}\n`);
}

/** Ends the command with status 1 and this message on stderr. */
export function fail(message: string): never {
  throw new BootError(message);
}

/** A size as ActiveSupport writes it: three digits. */
export function size(bytes: number): string {
  const units = ["Bytes", "KB", "MB", "GB", "TB"];
  let n = bytes;
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${Number(n.toPrecision(3))} ${bytes === 1 ? "Byte" : units[unit]}`;
}
