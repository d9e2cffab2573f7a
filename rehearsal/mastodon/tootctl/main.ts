import { BootError, loadRails, main, VERSION } from "../app/config";
import { connect, disconnect } from "../app/instance";
import { commands } from "./commands";
import { parse } from "./options";

main(async () => {
  const argv = process.argv.slice(2);
  const config = loadRails();
  if (["version", "--version", "-v"].includes(argv[0] ?? "")) return say(VERSION);
  const name = [3, 2].map((n) => argv.slice(0, n).join(" ")).find((n) => n in commands);
  const command = name === undefined ? undefined : commands[name];
  if (!name || !command)
    throw new BootError(`Could not find command ${JSON.stringify(argv.slice(0, 2).join(" "))}.`);
  const parsed = parse(argv.slice(name.split(" ").length), command.options);
  const missing = (command.args ?? []).slice(parsed.args.length);
  if (missing.length)
    throw new BootError(
      `ERROR: "tootctl ${name}" was called with no arguments\nUsage: "tootctl ${name} ${missing.join(" ")}"`,
    );
  const pool = Number(parsed.flags.concurrency ?? 0) + 1;
  const instance = connect(
    { ...config, env: { ...config.env, DB_POOL: String(pool) } },
    { title: "tootctl", pool },
  );
  try {
    await command.run(instance, parsed);
  } finally {
    await disconnect(instance);
  }
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
