import { parseArgs } from "node:util";
import { faults } from "./faults";
import { contradictions, sources } from "./sources";
import { type StoreKind, storeKinds } from "./stores/names";
import { giveUp, UsageError, whole } from "./usage";

export const examples = ["live-move", "object-storage"] as const;
export type Example = (typeof examples)[number];

/** What `npm run rehearse -- …` was asked for. */
export interface Options {
  /** Which migration. */
  example: Example;
  /** Where the media go, in object-storage. @default "other" */
  store: StoreKind;
  /** Round trip between the old and the new server, in milliseconds. @default 10 */
  rttMs: number;
  /** Writes a second that people make, all together; without any there is nothing to account for. @default 8 */
  rate: number;
  /** How much the instance holds. @default "small" */
  size: "small" | "medium" | "large";
  /** What is broken on purpose, by its name in `rehearsal/faults`. @default - nothing */
  fault?: string;
  /** How the source differs from the usual, by names in `rehearsal/sources`; they combine. */
  source: string[];
  /** After `switch`, go back again and verify. */
  back: boolean;
  /** Leave the lab up at the end. */
  keep: boolean;
  json?: string;
  html?: string;
  /** Where to write the migration as a page to read. */
  runbook?: string;
}

export const usage = `npm run rehearse -- [live-move|object-storage] [options]

  --store STORE  in object-storage: where the media go, other, s3, r2 or b2 (default other)
  --rtt MS       network round trip between the old and the new server (default 10)
  --rate N       writes a second by people, all together (default 8)
  --size SIZE    small, medium or large (default small)
  --source NAME  a source as some admins have it, or several (NAME,NAME); \`--source list\` names them
                 (default: a source install with systemd units; in object-storage a Compose project)
  --back         after the switch, go back again, and verify
  --fault NAME   break something on purpose; \`--fault list\` names what can be broken
  --keep         leave the lab up at the end, also where it breaks off, and say how to enter it
  --json FILE    write the result as JSON
  --html FILE    write the report as one HTML file (default runs/EXAMPLE.html)
  --runbook FILE write the migration, step by step, as a page to read
  --help         this text`;

export function parseOptions(argv: string[]): Options {
  const { values: v, positionals } = read(argv);
  const example = positionals[0] ?? "live-move";
  if (positionals.length > 1 || !isOneOf(examples, example))
    throw new UsageError(
      `there is no rehearsal of ${JSON.stringify(positionals.join(" "))}; there are: ${examples.join(", ")}`,
    );
  const store = v.store ?? "other";
  if (!isOneOf(storeKinds, store))
    throw new UsageError(`--store is ${JSON.stringify(store)}; write ${storeKinds.join(", ")}`);
  if (v.store !== undefined && example !== "object-storage")
    throw new UsageError(`--store is for object-storage; write object-storage --store ${store}`);
  const size = v.size as Options["size"];
  if (!["small", "medium", "large"].includes(size))
    throw new UsageError(`--size is ${JSON.stringify(v.size)}; write small, medium or large`);
  if (v.fault !== undefined && v.fault !== "list") checkFault(v.fault, example, v.back);
  const source = (v.source ?? "").split(",").filter(Boolean);
  if (source.includes("compose") && example === "live-move")
    throw new UsageError("--source compose is for object-storage: a live move is of a source install");
  const odd = source.filter((name) => !Object.hasOwn(sources, name) && name !== "list");
  if (odd.length)
    throw new UsageError(
      `--source ${odd.join(",")} is not known; known are: ${Object.keys(sources).join(", ")}`,
    );
  const apart = contradictions(source);
  if (apart.length)
    throw new UsageError(`--source names what can't be at once: ${apart.join("; ")}; leave one of each out`);
  return {
    example,
    store,
    source,
    size,
    rttMs: whole("--rtt", v.rtt, 0, 500),
    rate: whole("--rate", v.rate, 1, 500),
    fault: v.fault,
    back: v.back,
    keep: v.keep,
    json: v.json,
    html: v.html ?? `runs/${example}.html`,
    runbook: v.runbook,
  };
}

function read(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        rtt: { type: "string", default: "10" },
        rate: { type: "string", default: "8" },
        size: { type: "string", default: "small" },
        fault: { type: "string" },
        source: { type: "string" },
        back: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        json: { type: "string" },
        html: { type: "string" },
        store: { type: "string" },
        runbook: { type: "string" },
      },
    });
  } catch (e) {
    throw new UsageError((e as Error).message);
  }
}

function checkFault(name: string, example: Example, back: boolean): void {
  const fault = Object.hasOwn(faults, name) ? faults[name] : undefined;
  if (!fault)
    throw new UsageError(
      `--fault ${JSON.stringify(name)} is not known; \`npm run rehearse -- --fault list\` names what can be broken`,
    );
  if ((fault.example ?? "live-move") !== example)
    throw new UsageError(`--fault ${name} is for ${fault.example ?? "live-move"}`);
  if (back && fault.phase === "settle")
    throw new UsageError(
      `--fault ${name} strikes in settle, and --back turns round before it: leave one out`,
    );
}

function isOneOf<T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}

/** Run by itself it only looks whether the command line can be understood, before anything is prepared for it. */
if (require.main === module)
  try {
    parseOptions(process.argv.slice(2));
  } catch (e) {
    giveUp(e, usage);
  }
