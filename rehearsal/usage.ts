/** Raised when the command line can't be understood. */
export class UsageError extends Error {}

/** A whole number of an option. @throws UsageError that names the option and its bounds */
export function whole(key: string, text: string, min: number, max: number): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < min || n > max)
    throw new UsageError(`${key} is ${JSON.stringify(text)}; write a whole number from ${min} to ${max}`);
  return n;
}

/** Says what went wrong, with the command's usage where the command line did, and ends the process. */
export function giveUp(e: unknown, usage: string): never {
  console.error(e instanceof UsageError ? `${e.message}\n\n${usage}` : e);
  process.exit(2);
}
