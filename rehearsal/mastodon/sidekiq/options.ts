import { BootError, type Env, number } from "../app/config";

/** Queues and weights of config/sidekiq.yml. */
export const defaultQueues: Record<string, number> = {
  default: 8,
  push: 6,
  ingress: 4,
  mailers: 2,
  pull: 1,
  scheduler: 1,
  fasp: 1,
};

export interface Options {
  concurrency: number;
  /** A queue appears as often as it weighs. */
  queues: string[];
  /** Seconds that running jobs are given at a stop. */
  timeout: number;
}

/** Reads what Sidekiq's own command line knows of that an installation of Mastodon uses; refuses the rest. */
export function readOptions(args: string[], env: Env): Options {
  const options: Options = { concurrency: number(env, "SIDEKIQ_CONCURRENCY", 5), queues: [], timeout: 25 };
  for (let i = 0; i < args.length; i++) {
    const [flag = "", inline] = (args[i] ?? "").split("=");
    const value = inline ?? args[++i];
    if (value === undefined) throw new BootError(`sidekiq: missing argument: ${flag}`);
    if (flag === "-c" || flag === "--concurrency") options.concurrency = Number(value);
    else if (flag === "-t" || flag === "--timeout") options.timeout = Number(value);
    else if (flag === "-q" || flag === "--queue") options.queues.push(...weighted(value));
    else if (flag === "-C" || flag === "--config") known(value, "config/sidekiq.yml");
    else if (flag === "-e" || flag === "--environment") known(value, "production");
    else throw new BootError(`sidekiq: invalid option: ${flag}`);
  }
  if (!(options.concurrency > 0)) throw new BootError("sidekiq: concurrency is no number above 0");
  if (options.queues.length === 0)
    options.queues = Object.entries(defaultQueues).flatMap(([q, w]) => Array<string>(w).fill(q));
  return options;
}

function weighted(value: string): string[] {
  const [name = "", weight = "1"] = value.split(",");
  return Array<string>(Math.max(1, Number(weight))).fill(name);
}

function known(value: string, expected: string): void {
  if (value !== expected) throw new BootError(`sidekiq: the stand-in has ${expected} only, not ${value}`);
}
