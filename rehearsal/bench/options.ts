import { parseArgs } from "node:util";
import { giveUp, UsageError, whole } from "../usage";

/** What is measured, in this order. */
export const parts = ["pauses", "peers", "seeding", "media", "program", "rehearsal"] as const;
export type Part = (typeof parts)[number];

/** Who is measured side by side, in this order. */
export const peerNames = ["Trunkline", "by hand", "repmgr", "Patroni"] as const;
export type PeerName = (typeof peerNames)[number];

export interface Options {
  parts: Part[];
  /** Switches in each direction, at each round trip. */
  runs: number;
  /** Round trips between the two servers, in milliseconds. */
  rtts: number[];
  /** Switches of each contender, at each of `peerRtts`. */
  peerRuns: number;
  peerRtts: number[];
  peers: PeerName[];
  /** Size of the database that is copied. */
  mib: number;
  /** Files of the first copy of media. */
  files: number;
  /** How many files are there when new ones come, and are accounted for. */
  counts: number[];
  size: "small" | "medium" | "large";
  /** Where the results are kept; what a run does not measure stays as it was measured before. */
  json: string;
  figures?: string;
}

export const usage = `npm run bench -- [PART…] [options]

  PART             what to measure: ${parts.join(", ")} (default all)
  --runs N         switches there and as many back, at each round trip (default 20)
  --rtt LIST       round trips in milliseconds (default 1,20,80)
  --peer-runs N    switches of each contender side by side (default 5)
  --peer-rtt LIST  at these round trips (default 20)
  --peers LIST     ${peerNames.join(", ")} (default all)
  --mib N          size of the database that is copied (default 1024)
  --files N        files of the first copy of media (default 20000)
  --counts LIST    files that are there when new ones come, and are accounted for (default 10000,100000,1000000)
  --size SIZE      of the rehearsal that is timed: small, medium, large (default medium)
  --json FILE      results, kept as they come; what is not measured again stays (default runs/bench.json)
  --figures FILE   the page of figures, with its picture beside it (docs/figures.md is one)
  --no-measure     only write the page anew from the results
  --help           this text

All of it takes about an hour and a half on two cores, and nothing else should run meanwhile. It can be stopped at any time
and measured on part by part: each result is kept as soon as it is there.`;

export function parseOptions(argv: string[]): Options {
  const { values: v, positionals: only } = read(argv);
  for (const name of only)
    if (!(parts as readonly string[]).includes(name))
      throw new UsageError(`there is no part ${JSON.stringify(name)}; there are: ${parts.join(", ")}`);
  if (!["small", "medium", "large"].includes(v.size))
    throw new UsageError(`--size is ${JSON.stringify(v.size)}; write small, medium or large`);
  return {
    parts: v["no-measure"] ? [] : parts.filter((p) => !only.length || only.includes(p)),
    runs: whole("--runs", v.runs, 1, 1000),
    rtts: numbers("--rtt", v.rtt, 0, 500),
    peerRuns: whole("--peer-runs", v["peer-runs"], 1, 1000),
    peerRtts: numbers("--peer-rtt", v["peer-rtt"], 0, 500),
    peers: v.peers === undefined ? [...peerNames] : peersOf(v.peers),
    mib: whole("--mib", v.mib, 16, 100_000),
    files: whole("--files", v.files, 2, 1_000_000),
    counts: numbers("--counts", v.counts, 2, 1_000_000),
    size: v.size as Options["size"],
    json: v.json,
    figures: v.figures,
  };
}

function read(argv: string[]) {
  const text = (standard: string) => ({ type: "string", default: standard }) as const;
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        ...{ runs: text("20"), rtt: text("1,20,80") },
        ...{ "peer-runs": text("5"), "peer-rtt": text("20"), peers: { type: "string" } },
        ...{ mib: text("1024"), size: text("medium") },
        ...{ files: text("20000"), counts: text("10000,100000,1000000") },
        ...{ json: text("runs/bench.json"), figures: { type: "string" } },
        "no-measure": { type: "boolean", default: false },
      },
    });
  } catch (e) {
    throw new UsageError((e as Error).message);
  }
}

const list = (text: string) => text.split(",").map((t) => t.trim()).filter(Boolean); // prettier-ignore

function numbers(key: string, text: string, min: number, max: number): number[] {
  const all = list(text);
  if (!all.length)
    throw new UsageError(
      `${key} is ${JSON.stringify(text)}; write whole numbers from ${min} to ${max}, like 20,80`,
    );
  return all.map((n) => whole(key, n, min, max));
}

function peersOf(text: string): PeerName[] {
  const asked = list(text).map((name) => name.toLowerCase());
  const known = peerNames.filter((name) => asked.includes(name.toLowerCase()));
  if (!asked.length || known.length < new Set(asked).size)
    throw new UsageError(`--peers is ${JSON.stringify(text)}; write some of: ${peerNames.join(", ")}`);
  return known;
}

/** Run by itself it only looks whether the command line can be understood, before anything is prepared for it. */
if (require.main === module)
  try {
    parseOptions(process.argv.slice(2));
  } catch (e) {
    giveUp(e, usage);
  }
