import { duration, whole } from "../../report/format";
import { type Goal, percent } from "../goals";
import { spread } from "../measure";
import type { Copying, Counted, Results } from "../results";
import type { Table } from "../tables";

const copyingGoal = 0.9;
/** How many times what it is with the fewest files it may be with the most. */
const growth = { delta: 2, memory: 1.25 };
const rcloneTimes = 50;

/** What of the figures asked for the media reached. */
export const mediaGoals = (r: Results): Goal[] => [...copying(r), ...counts(r)];

/** Of the bare copies the fastest is the one to be compared with. */
function shareOfRclone(all: Copying[]): number {
  const rates = (kind: Copying["kind"]) =>
    all.filter((c) => c.kind === kind).map((c) => 1 / middle(c.seconds));
  return Math.max(...rates("ours")) / Math.max(...rates("rclone"));
}

function copying(r: Results): Goal[] {
  const ours = r.copying?.find((c) => c.kind === "ours");
  if (!r.copying || !ours) return [];
  const share = shareOfRclone(r.copying);
  return [
    {
      what: `first copy of ${whole(ours.files)} files against rclone copy by itself`,
      wanted: `at least ${percent(copyingGoal)}`,
      found: percent(share),
      reached: share >= copyingGoal,
    },
  ];
}

/** Median of a few seconds, not rounded. */
const middle = (seconds: number[]) => spread(seconds.map((s) => s * 1000)).median / 1000;

/** Peak memory of the verification with all that it starts, in MiB. */
const peak = ({ verify: { own, others } }: Counted) =>
  Object.values(others).reduce((sum, kib) => sum + kib, own) / 1024;

function counts(r: Results): Goal[] {
  const all = [...(r.media ?? [])].sort((a, b) => a.files - b.files);
  const [few, many] = [all[0], all.at(-1)];
  if (!few || !many) return [];
  const faster = many.rcloneSeconds / middle(many.delta);
  const than = {
    what: `100 new files among ${whole(many.files)} against rclone copy over everything`,
    ...{ wanted: `${rcloneTimes} times faster`, found: `${faster.toFixed(0)} times` },
    reached: faster >= rcloneTimes,
  };
  if (few === many) return [than];
  const between = `${whole(few.files)} and ${whole(many.files)} files`;
  const deltas = all.map((c) => middle(c.delta));
  return [
    grown(`100 new files, longest against shortest between ${between}`, Math.max(...deltas) / Math.min(...deltas), growth.delta), // prettier-ignore
    than,
    grown(`peak memory of the account between ${between}`, peak(many) / peak(few), growth.memory),
  ];
}

const grown = (what: string, found: number, limit: number): Goal => ({
  ...{ what, wanted: `at most ${limit} times`, found: `${found.toFixed(2)} times`, reached: found <= limit },
});

export function copyingTable(r: Results): Table {
  const all = r.copying ?? [];
  const rate = (c: Copying) => whole(Math.round(c.files / middle(c.seconds)));
  return {
    title: "First copy of media",
    about:
      "Many small files to an empty bucket over the network, by the unit that `storage/copy` runs, and by others.",
    head: ["", "files", "size", "runs", "median", "files a second"],
    rows: all.map((c) => [
      ...[c.way, whole(c.files), `${Math.round(c.bytes / 2 ** 20)} MiB`, String(c.seconds.length)],
      ...[`${middle(c.seconds).toFixed(1)} s`, rate(c)],
    ]),
    notes: all.length
      ? [`Trunkline has ${(shareOfRclone(all) * 100).toFixed(0)} % of the rate of the fastest rclone.`]
      : [],
  };
}

export function mediaTable(r: Results): Table {
  return {
    title: "Media by their number",
    about:
      "How long 100 new files take among so many until `storage/follow` says that the bucket has them; and the account of all, key by key from the database's rows.",
    head: [
      "files",
      "100 new files",
      "rclone copy over everything",
      "times",
      "account",
      "its memory",
      "with sort and psql",
    ],
    rows: (r.media ?? []).map((c) => [
      ...[whole(c.files), `${middle(c.delta).toFixed(2)} s`, duration(c.rcloneSeconds)],
      ...[(c.rcloneSeconds / middle(c.delta)).toFixed(0), duration(c.verify.seconds)],
      ...[`${(c.verify.own / 1024).toFixed(0)} MiB`, `${peak(c).toFixed(0)} MiB`],
    ]),
    notes: [],
  };
}
