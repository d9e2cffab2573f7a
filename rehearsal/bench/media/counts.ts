import { type Counted, say } from "../results";
import { Library } from "./library";
import { bucket, mediaFolder, remote } from "./settings";
import type { MediaSite } from "./site";

const tries = 5;
/** Files that are new each time. */
const posted = 100;
/** What makes rclone fastest where it has to look at everything: whole lists, and sizes alone. */
const fastest = ["--fast-list", "--size-only", "--s3-no-head", "--checkers", "32", "--transfers", "32"];

/** What new files cost, and the account of all, as the number of those that are there grows. */
export async function measureCounts(
  site: MediaSite,
  counts: number[],
  keep: (found: Counted[]) => void,
): Promise<void> {
  const library = await Library.open(site);
  const found: Counted[] = [];
  for (const count of [...counts].sort((a, b) => a - b)) {
    say(`${count} files, in the bucket as on the disk`);
    await library.grow(count);
    const copied = await site.step("storage/copy");
    // A file that was stored in the second after it was written is stored once more.
    if ((copied["media"] as Record<string, number>)["files"]! > library.posted)
      throw new Error(`bench: the bucket should have had all of them: ${JSON.stringify(copied)}`);
    const delta = await newFiles(site, library);
    const rcloneSeconds = await lookAtEverything(site, library);
    found.push({ files: count, delta, rcloneSeconds, verify: await verify(site, library) });
    keep(found);
  }
}

/** From the first file written until `storage/follow` says that the bucket has them. */
async function newFiles(site: MediaSite, library: Library): Promise<number[]> {
  const { follower } = await site.step("storage/follow");
  const seconds: number[] = [];
  for (let n = 1; n <= tries; n++) {
    const write = await library.post(posted);
    const begun = performance.now();
    await write();
    await site.step("storage/follow");
    seconds.push(Math.round(performance.now() - begun) / 1000);
  }
  await everyFile(site, library);
  const by = (follower as { watch: string }).watch;
  say(`${posted} new files among ${library.files}, by ${by}: ${seconds.join(", ")} s`);
  await site.step("storage/copy", "absent");
  return seconds;
}

/** The same files by a copy of all, with nobody else at work. */
async function lookAtEverything(site: MediaSite, library: Library): Promise<number> {
  await (
    await library.post(posted)
  )();
  const copy = ["copy", mediaFolder, `store:${bucket}`, ...fastest];
  const seconds = await site.time(["rclone", "--config", remote.conf, ...copy]);
  await everyFile(site, library);
  say(`rclone copy over ${library.files} files: ${seconds} s`);
  return seconds;
}

async function everyFile(site: MediaSite, { files }: Library): Promise<void> {
  const there = await site.weigh(site.objects);
  if (there.files !== files) throw new Error(`bench: the bucket has ${there.files} of ${files} files`);
}

async function verify(site: MediaSite, library: Library): Promise<Counted["verify"]> {
  const result = "/root/verified.json";
  const program = ["python3", "-B", "/opt/trunkline/scripts/storage/verify.py", remote.json, result];
  const argv = ["python3", "/root/peak.py", ...program];
  const peak = JSON.parse((await site.host.exec(argv, { timeoutMs: 3_600_000 })).stdout) as Counted["verify"];
  const told = JSON.parse((await site.host.exec(["cat", result])).stdout) as Record<string, number>;
  const { keys, objects, missing, wrong } = told;
  if (keys !== library.files || objects !== keys || missing || wrong)
    throw new Error(`bench: the account of ${library.files} files is ${JSON.stringify(told)}`);
  say(`verification of ${keys} keys: ${JSON.stringify(peak)}`);
  return peak;
}
