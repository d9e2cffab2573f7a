import { type Copying, say } from "../results";
import { plantOwn } from "./library";
import { bucket, mediaFolder, remote } from "./settings";
import type { MediaSite } from "./site";

const tries = 3;
/** How many at once the bare copy is tried with; the fastest counts. */
const transfers = [16, 32, 64];
/** An empty bucket needs no look into it, and what was sent no second one. */
const fastest = ["--no-check-dest", "--s3-no-head", "--checkers", "16"];

interface Way {
  way: string;
  kind: Copying["kind"];
  argv: string[];
}

/** The unit that the step runs, rclone with what makes it fastest, and the disk itself. */
const ways: Way[] = [
  {
    ...{ way: "Trunkline", kind: "ours" },
    argv: ["python3", "-B", "/opt/trunkline/scripts/storage/bulk.py", remote.json],
  },
  ...transfers.map((n): Way => ({
    ...{ way: `rclone copy, ${n} at once`, kind: "rclone" },
    argv: [
      "rclone",
      "--config",
      remote.conf,
      "copy",
      mediaFolder,
      `store:${bucket}`,
      ...fastest,
      "--transfers",
      String(n),
    ],
  })),
  { way: "cp to the same disk", kind: "disk", argv: ["cp", "-r", mediaFolder, `${mediaFolder}.copy`] },
];

/** A first copy of many small files, each way in turn, into an empty bucket. */
export async function measureCopying(site: MediaSite, count: number): Promise<Copying[]> {
  await plantOwn(site, count);
  const { files, bytes } = await site.weigh(site.tree);
  const found = ways.map(({ way, kind }) => ({ way, kind, files, bytes, seconds: [] as number[] }));
  for (let n = 1; n <= tries; n++)
    for (const [i, { way, kind, argv }] of ways.entries()) {
      await site.empty(site.objects, copy(site));
      const seconds = await site.time(argv);
      const there = await site.weigh(kind === "disk" ? copy(site) : site.objects);
      if (there.files !== files || there.bytes !== bytes)
        throw new Error(`bench: ${way} left ${JSON.stringify(there)} of ${files} files with ${bytes} bytes`);
      found[i]!.seconds.push(seconds);
      say(`${files} files, ${n} of ${tries}: ${way} ${seconds} s`);
    }
  await site.empty(site.objects, copy(site), site.tree);
  return found;
}

const copy = (site: MediaSite) => `${site.tree}.copy`;
