import type { Options } from "../options";
import type { Keep } from "../part";
import { versions } from "../versions";
import { measureCopying } from "./copying";
import { measureCounts } from "./counts";
import { MediaSite } from "./site";

/** Media to a bucket: the first copy, what is new, and the account of all. */
export async function measureMedia(o: Options, keep: Keep): Promise<void> {
  const site = await MediaSite.boot();
  const found = { versions: await versions(site.host), copying: await measureCopying(site, o.files) };
  keep(found);
  await measureCounts(site, o.counts, (media) => keep({ ...found, media }));
  await site.stop();
}
